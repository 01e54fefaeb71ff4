(field_definition property: (_) @name value: (arrow_function body: (_) @body)) @definition.method
(class_heritage [(identifier) (member_expression)] @reference.name)
