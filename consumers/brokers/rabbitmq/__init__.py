"""Production's broker. The only home of pika: none of its exceptions leaves this package."""
