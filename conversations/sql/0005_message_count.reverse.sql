DROP TABLE waops.message_count;
