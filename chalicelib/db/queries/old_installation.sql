-- name: tables
-- Of SQLite: the names of all tables.
SELECT name
FROM sqlite_master
WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
ORDER BY name

-- name: columns
-- Of SQLite: the names of a table's columns.
SELECT name
FROM pragma_table_info(:table)
ORDER BY cid

-- name: count
-- Of SQLite: how many rows a table has.
SELECT count(*)
FROM {table}

-- name: count_values
-- Of SQLite: how many rows have a value in a column.
SELECT count({column})
FROM {table}

-- name: pairs
-- Of SQLite: the id of every row with the value of one column.
SELECT id, {column}
FROM {table}
ORDER BY id

-- name: rows
-- Of SQLite: the rows of a list of ids.
SELECT *
FROM {table}
WHERE id IN (SELECT value FROM json_each(:ids))
