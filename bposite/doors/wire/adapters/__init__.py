"""One file per vendor; `registry` names them."""
