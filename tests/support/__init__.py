"""What tests share: a real provider on loopback, and the real proxy in a process of its own."""
