(function_definition name: (identifier) @name body: (_) @body) @definition.function
(class_definition name: (identifier) @name body: (_) @body) @definition.class
(module (expression_statement (assignment left: (identifier) @name) @definition.constant))
(type_alias_statement left: (type (identifier) @name)) @definition.constant

(decorator) @doc
(comment) @doc

(call function: [(identifier) (attribute)] @reference.call)
(decorator [(identifier) (attribute)] @reference.name)
(class_definition superclasses: (argument_list [(identifier) (attribute)] @reference.name))
(type (identifier) @reference.name)
(import_statement name: [(dotted_name) @reference.import (aliased_import name: (dotted_name) @reference.import)])
(import_from_statement
  module_name: (_) @module
  name: [(dotted_name) @reference.import (aliased_import name: (dotted_name) @reference.import)])
(import_from_statement module_name: (_) @reference.import (wildcard_import))
