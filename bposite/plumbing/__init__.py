"""What every feature stands on and what knows no feature: database, settings, broker, web shell, clock."""
