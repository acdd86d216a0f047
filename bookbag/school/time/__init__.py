"""School time: weeks, terms and closed days in the school's own zone, and when something is open. The only place that turns wall clocks into UTC."""
