SELECT tintype.beat($1, $2, $3)
