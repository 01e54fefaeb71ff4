(rule_set (selectors) @name (block) @body) @definition.style
(media_statement (block) @body) @definition.style
(keyframes_statement (keyframes_name) @name (_) @body) @definition.style
(comment) @doc
(import_statement (string_value (string_content) @reference.import))
