"""A program: its engine's server ends the session, as after long quiet, and it asks once more.

For tests to run in a process of its own (`python -m`, with the engine's URL): a session is shared
by the whole process.
"""

import sys

from assess_assets.resources import spark


def main(url: str) -> None:
    spark.QUIET_SECONDS = 0.0
    engine = spark.SparkEngine(url=url)
    ended = engine.session
    assert ended.range(3).count() == 3
    ended.client.release_session()  # the client goes on using it
    try:
        ended.range(3).count()
    except Exception as error:
        print(error)
    print(engine.session.range(3).count())
    engine.session.stop()


if __name__ == "__main__":
    main(sys.argv[1])
