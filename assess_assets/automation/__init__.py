"""Runs that nobody starts by hand: what is new, who is being run, the job and the sensor."""
