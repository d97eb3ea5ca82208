SELECT up, in_flight, work, next_due, chores FROM tintype.doze($1, $2, $3, $4, $5, $6)
