(script_element (raw_text) @embedded.typescript)
(style_element (raw_text) @embedded.css)
((tag_name) @reference.call (#match? @reference.call "^[A-Z]"))
