internal import CRdkafka
internal import Plumbing

/// Recovery when messages come back: a new producer for a dead one, smaller batches, a new look-up
/// of the topic.
extension Producer {
  /// Resends messages that came back and are certainly not in the topic. Lines after such messages
  /// may arrive before them.
  mutating func repair() {
    isRepairing = true
    defer { isRepairing = false }
    while !isHopeless, mayGoOn() {
      client.producer.checkForDeathIfTroubled()
      if client.producer.isDead {
        replaceClient()
      } else if doubtsTopic {
        guard findTopicAgain() else { return }
      } else if !unsent.isEmpty {
        resend(unsent.takeAll())
      } else if !tooLarge.isEmpty {
        sendSmallerBatches()
      } else if !invalid.isEmpty {
        sendOneByOne()
      } else {
        return
      }
    }
  }

  /// Replaces a producer with a fatal error. Only what was sent and not answered is in doubt; the
  /// rest is sent again.
  private mutating func replaceClient() {
    Diagnostics.verbose("the Kafka client gave up; it is started again")
    keepsUnsent = true
    giveUp(client)
    keepsUnsent = false
    if let refusal = client.producer.refusal(topic: settings.topic) { return end(for: refusal) }
    deaths = hasDeliveredSinceBirth ? 1 : deaths + 1
    hasDeliveredSinceBirth = false
    guard deaths <= 3 else {
      return end(for: KafkaFailure.failed("every attempt to send ended in a fatal error"))
    }
    startClient()
  }

  /// Starts a new producer in place of one with no messages in flight.
  ///
  /// The messages at hand have their partitions already, so the known partitions are kept.
  private mutating func startClient() {
    do {
      client = try source?.client(settings) ?? Client(settings)
      _ = try client.findTopic(
        .upTo(settings.patience ?? settings.timeout), named: settings.topic,
        brokers: settings.brokers, in: surroundings)
    } catch KafkaFailure.interrupted {
      // The caller that waits for the messages handles the signal.
    } catch {
      end(for: error)
    }
  }

  private mutating func resend(_ messages: [KeptMessage]) {
    for kept in messages {
      defer { kept.free() }
      let message = unsafe kept.message
      unsafe produce(message, timestamp: kept.timestamp, headers: kept.headers)
    }
  }

  /// Waits until the messages in flight are answered, so that nothing is sent twice.
  private mutating func settleOutstanding() {
    while outstanding > 0, mayGoOn(), !client.producer.isDead { collect(waiting: 20) }
  }

  /// Whether the topic exists after all; messages wait meanwhile.
  private mutating func findTopicAgain() -> Bool {
    switch client.look() {
    case .missing:
      end(for: KafkaFailure.missing("topic \(quoted(settings.topic)) is no longer there"))
      return false
    case .unknown: return false
    case .partitions(let found):
      doubtsTopic = false
      topicLooks += 1
      // A re-created topic is described before it accepts messages.
      if topicLooks > 1 { takeReports(waiting: 100) }
      guard topicLooks <= 50 else {
        end(
          for: KafkaFailure.missing(
            "topic \(quoted(settings.topic)) exists, but accepts no messages"))
        return false
      }
      use(found)
      let count = Int32(found.count)
      for kept in unsent.takeAll() {
        if unsafe kept.message.partition < count {
          unsent.add(kept)
        } else {
          unsafe account.failed(Message(kept.message), for: kept.error)
          if let headers = unsafe kept.headers { unsafe rd_kafka_headers_destroy(headers) }
          kept.free()
        }
      }
      return true
    }
  }

  /// Sends batches of half the size with a new producer, which keeps that size because later
  /// batches would be refused as well.
  private mutating func sendSmallerBatches() {
    settleOutstanding()
    guard outstanding == 0 else { return }
    let size = tooLarge.smallestBatch / 2
    Diagnostics.verbose("the topic refuses large batches: they are limited to \(size) bytes")
    settings.limitBatches(to: size)
    source = nil
    startClient()
    if !isHopeless { resend(tooLarge.takeAll()) }
  }

  /// One record made the broker refuse the whole batch: sends each message alone, with a producer
  /// that makes one attempt.
  private mutating func sendOneByOne() {
    settleOutstanding()
    guard outstanding == 0 else { return }
    let messages = invalid.takeAll()
    Diagnostics.verbose("a batch of \(messages.count) messages was refused: each is sent alone")
    let client: Client
    do {
      client = try single ?? Client(settings.forSingleMessages())
      if single == nil {
        _ = try client.findTopic(
          .upTo(settings.patience ?? settings.timeout), named: settings.topic,
          brokers: settings.brokers, in: surroundings)
      }
      single = client
    } catch {
      for kept in messages { invalid.add(kept) }
      return end(for: error)
    }
    for kept in messages {
      defer { kept.free() }
      let message = unsafe kept.message
      while true {
        let error = KafkaError(
          unsafe SingleMessage.produce(
            client, message, to: message.partition, timestamp: kept.timestamp,
            headers: kept.headers))
        if error.code == 0 {
          client.outstanding += 1
          break
        }
        if error == .queueFull, mayGoOn() {
          collect(waiting: 10)
          continue
        }
        unsafe account.failed(Message(message), for: error)
        if let headers = unsafe kept.headers { unsafe rd_kafka_headers_destroy(headers) }
        break
      }
    }
    settleOutstanding()
  }
}
