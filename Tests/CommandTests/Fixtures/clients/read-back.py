"""Writes records to the broker of KAFKA_BROKERS with a Kafka client, reads them back in two steps, and compares all of them.

read-back.py CLIENT, one of confluent-kafka, kafka-python, aiokafka, kcat; called by 'scripts/conformance --clients'.
Prints one line a codec. Exits 1 at the first difference.
"""

import asyncio
import importlib.metadata
import os
import random
import subprocess
import sys
import time

BROKERS = os.environ["KAFKA_BROKERS"]
PARTITIONS = 4
COUNT = 5000
SECONDS = 60
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def records(seed):
    """Records of every kind: null and empty keys and values, any bytes, long values, headers, times."""
    chance = random.Random(seed)
    made = []
    for number in range(COUNT):
        made.append(
            {
                "partition": number % PARTITIONS,
                "key": chance.choice([None, b"", b"k%d" % (number % 7), chance.randbytes(20)]),
                "value": chance.choice([b"", b'{"n":%d}' % number, chance.randbytes(300), b"x" * 5000]),
                "headers": chance.choice(
                    [[], [("a", b"1")], [("a", b"1"), ("a", b"\x00\xff"), ("empty", b"")]]
                ),
                "time": 1767225600000 + number * 250,
            }
        )
        if number % 11 == 0 and made[-1]["key"]:
            made[-1]["value"] = None
    return made


def fail(what):
    print(f"{sys.argv[1]}: {what}")
    sys.exit(1)


def compare(codec, wrote, read):
    """Records of a partition come back in their order, each with all of its parts."""
    if len(read) != len(wrote):
        fail(f"{codec}: wrote {len(wrote)} records, read {len(read)}")
    for partition in range(PARTITIONS):
        want = [r for r in wrote if r["partition"] == partition]
        got = sorted((r for r in read if r["partition"] == partition), key=lambda r: r["offset"])
        for index, (one, other) in enumerate(zip(want, got, strict=True)):
            if other["offset"] != index:
                fail(f"{codec}: partition {partition}: offset {other['offset']} in the place of {index}")
            for part in ("key", "value", "headers", "time"):
                if one[part] != other[part]:
                    fail(f"{codec}: partition {partition}, offset {index}: {part} {other[part]!r}, not {one[part]!r}")


def confluent():
    from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

    def check_all(codec, topic):
        wrote = records(codec)
        failures = []
        producer = Producer(
            {"bootstrap.servers": BROKERS, "compression.type": codec, "linger.ms": 20, "enable.idempotence": True}
        )
        for record in wrote:
            producer.produce(
                topic, record["value"], record["key"], record["partition"], timestamp=record["time"],
                headers=record["headers"], on_delivery=lambda error, _: error and failures.append(error),
            )
        if producer.flush(SECONDS) or failures:
            fail(f"{codec}: not delivered: {failures[:1]}")
        read = []
        for share in (COUNT // 2, COUNT):
            consumer = Consumer(
                {"bootstrap.servers": BROKERS, "group.id": topic, "auto.offset.reset": "earliest",
                 "enable.auto.commit": False, "check.crcs": True}
            )
            consumer.subscribe([topic])
            end = time.monotonic() + SECONDS
            while len(read) < share and time.monotonic() < end:
                message = consumer.poll(1)
                if message is None:
                    continue
                if message.error():
                    fail(f"{codec}: {message.error()}")
                read.append(
                    {"partition": message.partition(), "offset": message.offset(), "key": message.key(),
                     "value": message.value(), "headers": message.headers() or [], "time": message.timestamp()[1]}
                )
            consumer.commit(asynchronous=False)
            consumer.close()
        compare(codec, wrote, read)

    def newer_protocol(topic):
        """The protocol of Kafka 4's groups is not served: the consumer must end with an error that says so."""
        consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": "newer", "group.protocol": "consumer"})
        consumer.subscribe([topic])
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            try:
                message = consumer.poll(1)
            except KafkaException as error:
                return str(error)
            if message is not None and message.error():
                if message.error().code() == KafkaError._ALL_BROKERS_DOWN:
                    continue
                return message.error().str()
        fail("group.protocol=consumer: no error within a minute")

    for codec in CODECS:
        check_all(codec, "confluent-" + codec)
        yield codec
    words = newer_protocol("confluent-none")
    if "unsupported" not in words.lower() and "not support" not in words.lower():
        fail(f"group.protocol=consumer: unclear error: {words}")
    yield f"group.protocol=consumer: {words}"


def kafka_python():
    from kafka import KafkaConsumer, KafkaProducer

    for codec in CODECS:
        topic = "python-" + codec
        wrote = records(codec)
        producer = KafkaProducer(
            bootstrap_servers=BROKERS, acks="all", linger_ms=20,
            compression_type=None if codec == "none" else codec,
        )
        sent = [
            producer.send(
                topic, value=r["value"], key=r["key"], headers=r["headers"], partition=r["partition"],
                timestamp_ms=r["time"],
            )
            for r in wrote
        ]
        producer.flush(SECONDS)
        for future in sent:
            future.get(SECONDS)
        producer.close()
        read = []
        for share in (COUNT // 2, COUNT):
            consumer = KafkaConsumer(
                topic, bootstrap_servers=BROKERS, group_id=topic, auto_offset_reset="earliest",
                enable_auto_commit=False, consumer_timeout_ms=SECONDS * 1000,
            )
            for message in consumer:
                read.append(
                    {"partition": message.partition, "offset": message.offset, "key": message.key,
                     "value": message.value, "headers": [tuple(h) for h in message.headers], "time": message.timestamp}
                )
                if len(read) >= share:
                    break
            consumer.commit()
            consumer.close()
        compare(codec, wrote, read)
        yield codec


def aio():
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    async def one(codec, topic):
        wrote = records(codec)
        async with AIOKafkaProducer(
            bootstrap_servers=BROKERS, acks="all", linger_ms=20, enable_idempotence=True,
            compression_type=None if codec == "none" else codec,
        ) as producer:
            sent = [
                await producer.send(
                    topic, r["value"], r["key"], r["partition"], r["time"], r["headers"]
                )
                for r in wrote
            ]
            await asyncio.wait_for(asyncio.gather(*sent), SECONDS)
        read = []
        for share in (COUNT // 2, COUNT):
            async with AIOKafkaConsumer(
                topic, bootstrap_servers=BROKERS, group_id=topic, auto_offset_reset="earliest",
                enable_auto_commit=False,
            ) as consumer:
                while len(read) < share:
                    message = await asyncio.wait_for(consumer.getone(), SECONDS)
                    read.append(
                        {"partition": message.partition, "offset": message.offset, "key": message.key,
                         "value": message.value, "headers": [tuple(h) for h in message.headers],
                         "time": message.timestamp}
                    )
                await consumer.commit()
        compare(codec, wrote, read)

    for codec in CODECS:
        asyncio.run(one(codec, "aio-" + codec))
        yield codec


def kcat():
    """Lines, one a record; kcat gives neither bytes nor times."""
    for codec in CODECS:
        lines = b"".join(b"key%d:%d %s\n" % (n, n, b"v" * (n % 300)) for n in range(COUNT))
        topic = "kcat-" + codec
        subprocess.run(
            ["kcat", "-P", "-b", BROKERS, "-t", topic, "-p", "0", "-K:", "-z", codec], input=lines, check=True,
            timeout=SECONDS,
        )
        read = subprocess.run(
            ["kcat", "-C", "-q", "-e", "-b", BROKERS, "-t", topic, "-p", "0", "-K:", "-X", "check.crcs=true"],
            capture_output=True, check=True, timeout=SECONDS,
        ).stdout
        if read != lines:
            fail(f"{codec}: what was read is not what was written")
        yield codec


def version(client):
    if client != "kcat":
        return importlib.metadata.version(client)
    text = subprocess.run(["kcat", "-V"], capture_output=True, text=True).stdout
    return text.split("Version ")[1].split(" ")[0]


CLIENTS = {"confluent-kafka": confluent, "kafka-python": kafka_python, "aiokafka": aio, "kcat": kcat}
for done in CLIENTS[sys.argv[1]]():
    print(f"{sys.argv[1]} {version(sys.argv[1])}: {done}", flush=True)
