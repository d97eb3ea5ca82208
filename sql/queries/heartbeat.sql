SELECT tintype.beat($1, $2, $3, $4, $5)
