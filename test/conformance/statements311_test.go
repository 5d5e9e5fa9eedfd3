package conformance

import "slices"

// statements311 are those of MQTT 3.1.1 with the errata of 10 December 2015.
func statements311() []statement {
	return slices.Concat(formatStatements311(), connectStatements311(), connackStatements311(), publishStatements311(), acknowledgementStatements311(), subscriptionStatements311(), endingStatements311(), deliveryStatements311(), topicStatements311(), transportStatements311())
}

func formatStatements311() []statement {
	return []statement{
		{id: "1.5.3-1", meaning: "strings are well-formed UTF-8; others end the connection", test: testIllFormedUTF8},
		{id: "1.5.3-2", meaning: "U+0000 in a string ends the connection", test: testNullCharacter},
		{id: "1.5.3-3", meaning: "U+FEFF is a character like any other, and is kept", test: testByteOrderMarkIsKept},
		{id: "2.2.2-1", meaning: "reserved flag bits have the value that is listed", test: testReservedFlags},
		{id: "2.2.2-2", meaning: "invalid flags end the connection", test: testReservedFlags},
		{id: "2.3.1-1", meaning: "SUBSCRIBE, UNSUBSCRIBE and PUBLISH have packet identifiers that are not zero", test: testPacketIDZero},
		{id: "2.3.1-2", meaning: "a client uses packet identifiers that are unused", why: ofClients},
		{id: "2.3.1-3", meaning: "a client sends again with the same packet identifier", why: ofClients},
		{id: "2.3.1-4", meaning: "the packet identifiers of servers are unused, and stay with their messages", test: testServerPacketIDs},
		{id: "2.3.1-5", meaning: "a PUBLISH of QoS 0 has no packet identifier", test: testNoPacketIDAtQoS0},
		{id: "2.3.1-6", meaning: "acknowledgements have the packet identifier of the PUBLISH", test: testAcknowledgementsHaveThePacketID},
		{id: "2.3.1-7", meaning: "SUBACK and UNSUBACK have the packet identifier of the request", test: testSubackHasThePacketID},
	}
}

func connectStatements311() []statement {
	return []statement{
		{id: "3.1.0-1", meaning: "the first packet of a connection is CONNECT", test: testFirstPacketIsConnect},
		{id: "3.1.0-2", meaning: "a second CONNECT ends the connection", test: testSecondConnect},
		{id: "3.1.2-1", meaning: "a CONNECT with another protocol name is not processed as MQTT", test: testProtocolName},
		{id: "3.1.2-2", meaning: "a protocol level that the server does not speak is answered with 0x01", test: testProtocolLevelIsAnswered},
		{id: "3.1.2-3", meaning: "the reserved connect flag is checked, and ends the connection", test: testReservedConnectFlag},
		{id: "3.1.2-4", meaning: "CleanSession 0 resumes the session, or begins one, and it is stored", test: testSessionIsResumed},
		{id: "3.1.2-5", meaning: "messages of QoS 1 and 2 are stored for a session that is away", test: testMessagesWaitForASession},
		{id: "3.1.2-6", meaning: "CleanSession 1 discards the session, and is not stored", test: testCleanStartDiscards},
		{id: "3.1.2-7", meaning: "retained messages do not end with the session", test: testRetainedMessagesOutliveTheSession},
		{id: "3.1.2-8", meaning: "a will is stored, and published unless DISCONNECT has deleted it", test: testWillIsPublishedOrDeleted},
		{id: "3.1.2-9", meaning: "with the Will Flag, the fields of the will are present, and its QoS is used", test: testWillFieldsArePresent},
		{id: "3.1.2-10", meaning: "a will that was published, or deleted by DISCONNECT, is gone", test: testWillIsRemoved},
		{id: "3.1.2-11", meaning: "without the Will Flag, there is no Will QoS, Will Retain, topic or message", test: testWillFieldsWithoutWill},
		{id: "3.1.2-12", meaning: "without the Will Flag, no will is published", test: testNoWill},
		{id: "3.1.2-13", meaning: "without the Will Flag, Will QoS is 0", test: testWillQoSWithoutWill},
		{id: "3.1.2-14", meaning: "Will QoS is not 3", test: testWillQoS},
		{id: "3.1.2-15", meaning: "without the Will Flag, Will Retain is 0", test: testWillRetainWithoutWill},
		{id: "3.1.2-16", meaning: "with Will Retain 0, the will is not retained", test: testWillIsNotRetained},
		{id: "3.1.2-17", meaning: "with Will Retain 1, the will is retained", test: testWillIsRetained},
		{id: "3.1.2-18", meaning: "without the User Name Flag, there is no user name", test: testUserNameWithoutFlag},
		{id: "3.1.2-19", meaning: "with the User Name Flag, there is a user name", test: testUserNameIsPresent},
		{id: "3.1.2-20", meaning: "without the Password Flag, there is no password", test: testPasswordWithoutFlag},
		{id: "3.1.2-21", meaning: "with the Password Flag, there is a password", test: testPasswordIsPresent},
		{id: "3.1.2-22", meaning: "without the User Name Flag, the Password Flag is 0", test: testPasswordWithoutUserName},
		{id: "3.1.2-23", meaning: "a client that has nothing to send sends PINGREQ", why: ofClients},
		{id: "3.1.2-24", meaning: "a client that is silent for one and a half keep-alives is disconnected", test: testKeepAlive},
		{id: "3.1.3-1", meaning: "the fields of the payload have a fixed order", test: testPayloadOrder},
		{id: "3.1.3-2", meaning: "the client identifier names the state of the session", test: testClientIDIdentifiesTheSession},
		{id: "3.1.3-3", meaning: "the client identifier is present, and the first field", test: testClientIDIsPresent},
		{id: "3.1.3-4", meaning: "the client identifier is well-formed UTF-8", test: testClientIDIsUTF8},
		{id: "3.1.3-5", meaning: "identifiers of 1 to 23 letters and digits are allowed", test: testClientIDCharacters},
		{id: "3.1.3-6", meaning: "a client with an empty identifier is given a unique one", test: testEmptyClientID},
		{id: "3.1.3-7", meaning: "a client with an empty identifier sets CleanSession to 1", why: ofClients},
		{id: "3.1.3-8", meaning: "an empty identifier with CleanSession 0 is answered with 0x02", test: testEmptyClientIDWithoutCleanSession},
		{id: "3.1.3-9", meaning: "an identifier that is rejected is answered with 0x02", test: testRejectedClientID},
		{id: "3.1.3-10", meaning: "the will topic is well-formed UTF-8", test: testWillTopicIsUTF8},
		{id: "3.1.3-11", meaning: "the user name is well-formed UTF-8", test: testUserNameIsUTF8},
		{id: "3.1.4-1", meaning: "a malformed CONNECT ends the connection without CONNACK", test: testMalformedConnectIsNotAnswered},
		{id: "3.1.4-2", meaning: "a client that connects again ends its old connection", test: testTakeOver},
		{id: "3.1.4-3", meaning: "CleanSession is processed", test: testCleanStartDiscards},
		{id: "3.1.4-4", meaning: "a CONNECT that is accepted is answered with CONNACK 0", test: testConnectIsAcknowledged},
		{id: "3.1.4-5", meaning: "nothing is processed that follows a rejected CONNECT", test: testNothingIsProcessedAfterARefusal},
	}
}

func connackStatements311() []statement {
	return []statement{
		{id: "3.2.0-1", meaning: "the first packet from the server is CONNACK", test: testConnackIsFirst},
		{id: "3.2.2-1", meaning: "Session Present is 0 after CleanSession 1", test: testCleanStartDiscards},
		{id: "3.2.2-2", meaning: "Session Present is 1 when there is a session", test: testSessionPresent},
		{id: "3.2.2-3", meaning: "Session Present is 0 when there is none", test: testSessionIsNotPresent},
		{id: "3.2.2-4", meaning: "Session Present is 0 when the connection is refused", test: testRefusalHasNoSessionPresent},
		{id: "3.2.2-5", meaning: "CONNACK with a code that is not 0 is the end of the connection", test: testRefusalIsTheEnd},
		{id: "3.2.2-6", meaning: "a connection that is refused for another reason is closed without CONNACK", test: testMalformedConnectIsNotAnswered},
	}
}

func publishStatements311() []statement {
	return []statement{
		{id: "3.3.1-1", meaning: "DUP is 1 when a PUBLISH is sent again", test: testDupOnRedelivery},
		{id: "3.3.1-2", meaning: "DUP is 0 at QoS 0", test: testDupAtQoS0},
		{id: "3.3.1-3", meaning: "DUP of what is sent does not depend on DUP of what came", test: testDupIsNotPropagated},
		{id: "3.3.1-4", meaning: "QoS 3 ends the connection", test: testQoSThree},
		{id: "3.3.1-5", meaning: "a message with RETAIN 1 is stored with its QoS", test: testRetainedIsStored},
		{id: "3.3.1-6", meaning: "a new subscription is sent the retained messages", test: testRetainedAreSent},
		{id: "3.3.1-7", meaning: "a message of QoS 0 with RETAIN 1 discards the retained one", test: testRetainedAtQoS0Replaces},
		{id: "3.3.1-8", meaning: "RETAIN is 1 in messages that a new subscription is sent", test: testRetainedHaveTheFlag},
		{id: "3.3.1-9", meaning: "RETAIN is 0 in messages to established subscriptions", test: testLiveHaveNotTheFlag},
		{id: "3.3.1-10", meaning: "an empty message with RETAIN 1 is delivered, and removes the retained one", test: testEmptyRetainedRemoves},
		{id: "3.3.1-11", meaning: "an empty message is not retained", test: testEmptyIsNotRetained},
		{id: "3.3.1-12", meaning: "a message with RETAIN 0 leaves the retained one alone", test: testOthersAreNotRetained},
		{id: "3.3.2-1", meaning: "the topic name comes first, and is well-formed UTF-8", test: testTopicNameIsUTF8},
		{id: "3.3.2-2", meaning: "a topic name has no wildcards", test: testTopicNameWithWildcards},
		{id: "3.3.2-3", meaning: "the topic name that is sent matches the topic filter", test: testTopicNameMatches},
		{id: "3.3.4-1", meaning: "the QoS of a PUBLISH says what answers it", test: testAnswerByQoS},
		{id: "3.3.5-1", meaning: "with several matching subscriptions, the highest QoS counts", test: testOverlappingSubscriptions},
		{id: "3.3.5-2", meaning: "a PUBLISH that is not authorized is acknowledged, or ends the connection", test: testUnauthorizedPublish},
	}
}

func acknowledgementStatements311() []statement {
	return []statement{
		{id: "3.6.1-1", meaning: "the flags of PUBREL are 0010; others end the connection", test: testPubrelFlags},
	}
}

func subscriptionStatements311() []statement {
	return []statement{
		{id: "3.8.1-1", meaning: "the flags of SUBSCRIBE are 0010; others end the connection", test: testSubscribeFlags},
		{id: "3.8.3-1", meaning: "topic filters are well-formed UTF-8", test: testTopicFiltersAreUTF8},
		{id: "3.8.3-2", meaning: "a server without wildcards refuses them", test: testWildcardsAreSupportedOrRefused},
		{id: "3.8.3-3", meaning: "SUBSCRIBE has at least one topic filter", test: testSubscribeToNothing},
		{id: "3.8.3-4", meaning: "reserved bits, and QoS 3, in SUBSCRIBE end the connection", test: testReservedOptions},
		{id: "3.8.4-1", meaning: "SUBSCRIBE is answered with SUBACK", test: testSubscribeIsAnswered},
		{id: "3.8.4-2", meaning: "SUBACK has the packet identifier of SUBSCRIBE", test: testSubackHasThePacketID},
		{id: "3.8.4-3", meaning: "an equal topic filter replaces the subscription, sends the retained messages again, and interrupts nothing", test: testReplacingLosesNothing},
		{id: "3.8.4-4", meaning: "several topic filters are as several SUBSCRIBEs with one answer", test: testSeveralFilters},
		{id: "3.8.4-5", meaning: "SUBACK has the QoS that was granted, or a failure, for each topic filter", test: testSubackCodes},
		{id: "3.8.4-6", meaning: "the QoS is the lower of that of the message and that which was granted", test: testGrantedQoSIsTheLimit},
		{id: "3.9.3-1", meaning: "the return codes of SUBACK have the order of the topic filters", test: testSubackCodes},
		{id: "3.9.3-2", meaning: "SUBACK has return codes 0, 1, 2 and 0x80 alone", test: testSubackCodes},
		{id: "3.10.1-1", meaning: "the flags of UNSUBSCRIBE are 0010; others end the connection", test: testUnsubscribeFlags},
		{id: "3.10.3-1", meaning: "the topic filters of UNSUBSCRIBE are well-formed UTF-8", test: testUnsubscribeFiltersAreUTF8},
		{id: "3.10.3-2", meaning: "UNSUBSCRIBE has at least one topic filter", test: testUnsubscribeFromNothing},
		{id: "3.10.4-1", meaning: "UNSUBSCRIBE ends the subscriptions with exactly these topic filters", test: testUnsubscribeComparesExactly},
		{id: "3.10.4-2", meaning: "no messages are added after UNSUBSCRIBE", test: testUnsubscribeStopsMessages},
		{id: "3.10.4-3", meaning: "the delivery of messages that were sent is completed", test: testUnsubscribeCompletesDelivery},
		{id: "3.10.4-4", meaning: "UNSUBSCRIBE is answered with UNSUBACK and its packet identifier", test: testSubackHasThePacketID},
		{id: "3.10.4-5", meaning: "UNSUBACK comes even when nothing was subscribed", test: testUnsubscribeIsAnswered},
		{id: "3.10.4-6", meaning: "several topic filters are as several UNSUBSCRIBEs with one answer", test: testUnsubscribeSeveral},
	}
}

func endingStatements311() []statement {
	return []statement{
		{id: "3.12.4-1", meaning: "PINGREQ is answered with PINGRESP", test: testPing},
		{id: "3.14.1-1", meaning: "reserved bits in DISCONNECT end the connection", test: testReservedBitsOfDisconnect},
		{id: "3.14.4-1", meaning: "a client closes the connection after DISCONNECT", why: ofClients},
		{id: "3.14.4-2", meaning: "a client sends nothing after DISCONNECT", why: ofClients},
		{id: "3.14.4-3", meaning: "DISCONNECT discards the will", test: testWillIsDiscardedByDisconnect},
	}
}

func deliveryStatements311() []statement {
	return []statement{
		{id: "4.1.0-1", meaning: "the session is stored for its whole duration", test: testSessionIsStored},
		{id: "4.1.0-2", meaning: "the session lasts at least as long as the connection", test: testSessionLastsWhileConnected},
		{id: "4.3.1-1", meaning: "QoS 0 is sent with DUP 0", test: testQoS0HasNoDup},
		{id: "4.3.2-1", meaning: "a message of QoS 1 has an unused packet identifier and DUP 0, and is unacknowledged until PUBACK", test: testQoS1IsResent},
		{id: "4.3.2-2", meaning: "a message of QoS 1 is answered with PUBACK, after which its packet identifier means a new one", test: testPacketIDAfterPuback},
		{id: "4.3.3-1", meaning: "a message of QoS 2 is sent until PUBREC, and PUBREL until PUBCOMP", test: testPubrelIsResent},
		{id: "4.3.3-2", meaning: "a message of QoS 2 is answered until PUBCOMP, and delivered once", test: testQoS2IsDeliveredOnce},
		{id: "4.4.0-1", meaning: "what is unacknowledged is sent again when the session is resumed", test: testResendAtReconnectOnly},
		{id: "4.5.0-1", meaning: "a message becomes part of the session of every matching client", test: testMessagesWaitForASession},
		{id: "4.5.0-2", meaning: "a client acknowledges every message", why: ofClients},
	}
}

func topicStatements311() []statement {
	return []statement{
		{id: "4.6.0-1", meaning: "a client sends messages again in their order", why: ofClients},
		{id: "4.6.0-2", meaning: "a client sends PUBACK in the order of the messages", why: ofClients},
		{id: "4.6.0-3", meaning: "a client sends PUBREC in the order of the messages", why: ofClients},
		{id: "4.6.0-4", meaning: "a client sends PUBREL in the order of PUBREC", why: ofClients},
		{id: "4.6.0-5", meaning: "every topic is ordered", test: testOrder},
		{id: "4.6.0-6", meaning: "messages of a client are delivered, and sent again, in their order", test: testOrder},
		{id: "4.7.1-1", meaning: "wildcards are not used in topic names", test: testTopicNameWithWildcards},
		{id: "4.7.1-2", meaning: "# is the last character, and a level of its own", test: testMultiLevelWildcard},
		{id: "4.7.1-3", meaning: "+ is a level of its own", test: testSingleLevelWildcard},
		{id: "4.7.2-1", meaning: "filters that begin with a wildcard match no topic that begins with $", test: testSystemTopicsAreHidden},
		{id: "4.7.3-1", meaning: "topic names and filters are not empty", test: testEmptyTopics},
		{id: "4.7.3-2", meaning: "topic names and filters do not contain U+0000", test: testNullInTopics},
		{id: "4.7.3-3", meaning: "topic names and filters have at most 65,535 bytes", why: "the length of a string cannot say more"},
		{id: "4.7.3-4", meaning: "topic names and filters are not normalized", test: testTopicsAreNotNormalized},
		{id: "4.8.0-1", meaning: "a protocol violation ends the connection", test: testViolationsEndTheConnection},
		{id: "4.8.0-2", meaning: "a transient error ends the connection", why: "no test can provoke one"},
	}
}

func transportStatements311() []statement {
	return []statement{
		{id: "6.0.0-1", meaning: "packets come in binary WebSocket frames; others end the connection", test: testWebSocketFramesAreBinary},
		{id: "6.0.0-2", meaning: "packets and WebSocket frames need not be aligned", test: testWebSocketFramesAreAStream},
		{id: "6.0.0-3", meaning: "a client offers the subprotocol mqtt", why: ofClients},
		{id: "6.0.0-4", meaning: "the server selects the subprotocol mqtt", test: testWebSocketProtocol},
		{id: "7.0.0-1", meaning: "a server that connects to others conforms as a client, too", why: "says what else is to be tested"},
		{id: "7.0.0-2", meaning: "no extensions are required", test: testConnectIsAcknowledged},
		{id: "7.1.1-1", meaning: "an ordered, lossless stream of bytes is supported", test: testConnectIsAcknowledged},
		{id: "7.1.2-1", meaning: "a client supports an ordered, lossless stream of bytes", why: ofClients},
	}
}
