"""The specification as a document: parsed and rendered without a model, grounded in the words of the idea."""
