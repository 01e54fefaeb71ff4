((attribute (attribute_name) @_name (quoted_attribute_value (attribute_value) @name) @definition.id)
 (#eq? @_name "id"))
(script_element (raw_text) @embedded.javascript)
(style_element (raw_text) @embedded.css)
