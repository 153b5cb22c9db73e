"""What we write in OpenAI's languages, against OpenAI's own OpenAPI document. Run by `make schema`."""
