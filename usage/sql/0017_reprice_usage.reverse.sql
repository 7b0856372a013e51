DROP FUNCTION waops.reprice_usage(text[]);
