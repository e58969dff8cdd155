"""Pure parts of the entry log: times as people type them, answers as badges, cells of a sheet, bars, a visit's way."""
