"""The real services on one machine: Kafka, HDFS and Spark as JVM processes on loopback.

Belongs here: fetching, configuring, starting and stopping them, for `assess services` and tests.
Nothing of the pipeline imports this package, and it knows nothing of the pipeline.
"""
