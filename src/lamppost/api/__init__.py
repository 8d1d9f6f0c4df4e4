"""The public interface of a node: resources as JSON, live pictures, and the console that is made of both."""
