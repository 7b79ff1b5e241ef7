"""The pages of an answer: wording, numbers, records, documents, publishing."""
