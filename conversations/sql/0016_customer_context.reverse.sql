DROP FUNCTION waops.customer_context(uuid, text, integer);
