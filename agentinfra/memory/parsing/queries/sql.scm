(create_table (object_reference) @name) @definition.query
(create_view (object_reference) @name) @definition.query
(create_materialized_view (object_reference) @name) @definition.query
(create_function (object_reference) @name) @definition.query
(create_trigger (keyword_trigger) . (object_reference) @name) @definition.query
(create_index column: (identifier) @name) @definition.query
(create_type (object_reference) @name) @definition.query
(create_schema (identifier) @name) @definition.query
(alter_table (object_reference) @name) @definition.query

(comment) @doc
(marginalia) @doc
(relation (object_reference) @reference.name)
(insert (object_reference) @reference.name)
(invocation (object_reference) @reference.call)
