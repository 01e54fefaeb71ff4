(document (pair [(bare_key) (quoted_key) (dotted_key)] @name) @definition.config)
(table [(bare_key) (quoted_key) (dotted_key)] @name) @definition.config
(table_array_element [(bare_key) (quoted_key) (dotted_key)] @name) @definition.config
(comment) @doc
