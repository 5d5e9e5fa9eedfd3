package conformance

import "slices"

// ofClients is why many statements have no test here.
const ofClients = "binds clients"

// statements5 are those of MQTT 5.0 of 7 March 2019.
func statements5() []statement {
	return slices.Concat(formatStatements5(), connectStatements5(), connackStatements5(), publishStatements5(), acknowledgementStatements5(), subscriptionStatements5(), endingStatements5(), deliveryStatements5(), topicStatements5(), errorStatements5(), transportStatements5())
}

func formatStatements5() []statement {
	return []statement{
		{id: "1.5.4-1", meaning: "strings are well-formed UTF-8, without surrogates", test: testIllFormedUTF8},
		{id: "1.5.4-2", meaning: "strings do not contain U+0000", test: testNullCharacter},
		{id: "1.5.4-3", meaning: "U+FEFF is a character like any other, and is kept", test: testByteOrderMarkIsKept},
		{id: "1.5.5-1", meaning: "variable byte integers are as short as possible", test: testVariableByteIntegersAreMinimal},
		{id: "1.5.7-1", meaning: "both strings of a user property are well-formed UTF-8", test: testUserPropertiesAreUTF8},
		{id: "2.1.3-1", meaning: "reserved flag bits have the value that is listed", test: testReservedFlags},
		{id: "2.2.1-2", meaning: "a PUBLISH of QoS 0 has no packet identifier", test: testNoPacketIDAtQoS0},
		{id: "2.2.1-3", meaning: "the packet identifiers of clients are not zero", test: testPacketIDZero},
		{id: "2.2.1-4", meaning: "the packet identifiers of servers are not zero, and unused", test: testServerPacketIDs},
		{id: "2.2.1-5", meaning: "acknowledgements have the packet identifier of the PUBLISH", test: testAcknowledgementsHaveThePacketID},
		{id: "2.2.1-6", meaning: "SUBACK and UNSUBACK have the packet identifier of the request", test: testSubackHasThePacketID},
		{id: "2.2.2-1", meaning: "a packet without properties has a property length of zero", test: testNoPropertiesAreALengthOfZero},
	}
}

func connectStatements5() []statement {
	return []statement{
		{id: "3.1.0-1", meaning: "the first packet of a connection is CONNECT", test: testFirstPacketIsConnect},
		{id: "3.1.0-2", meaning: "a second CONNECT is a protocol error, and ends the connection", test: testSecondConnect},
		{id: "3.1.2-1", meaning: "the protocol name is MQTT; any other ends the connection", test: testProtocolName},
		{id: "3.1.2-2", meaning: "a protocol version that the server does not speak ends the connection", test: testProtocolVersion},
		{id: "3.1.2-3", meaning: "the server checks that the reserved connect flag is 0", test: testReservedConnectFlag},
		{id: "3.1.2-4", meaning: "Clean Start 1 discards the session and begins a new one", test: testCleanStartDiscards},
		{id: "3.1.2-5", meaning: "Clean Start 0 resumes the session of the client identifier", test: testSessionIsResumed},
		{id: "3.1.2-6", meaning: "Clean Start 0 begins a new session if there is none", test: testNewSession},
		{id: "3.1.2-7", meaning: "a will is stored with the session", test: testWillIsPublished},
		{id: "3.1.2-8", meaning: "a will is published after its delay or at the end of the session, unless it was deleted", test: testWillIsPublishedOrDeleted},
		{id: "3.1.2-9", meaning: "with the Will Flag, the fields of the will are present", test: testWillFieldsArePresent},
		{id: "3.1.2-10", meaning: "a will that was published, or deleted by DISCONNECT, is gone", test: testWillIsRemoved},
		{id: "3.1.2-11", meaning: "without the Will Flag, Will QoS is 0", test: testWillQoSWithoutWill},
		{id: "3.1.2-12", meaning: "Will QoS is 0, 1 or 2; 3 is malformed", test: testWillQoS},
		{id: "3.1.2-13", meaning: "without the Will Flag, Will Retain is 0", test: testWillRetainWithoutWill},
		{id: "3.1.2-14", meaning: "with Will Retain 0, the will is not retained", test: testWillIsNotRetained},
		{id: "3.1.2-15", meaning: "with Will Retain 1, the will is retained", test: testWillIsRetained},
		{id: "3.1.2-16", meaning: "without the User Name Flag, there is no user name", test: testUserNameWithoutFlag},
		{id: "3.1.2-17", meaning: "with the User Name Flag, there is a user name", test: testUserNameIsPresent},
		{id: "3.1.2-18", meaning: "without the Password Flag, there is no password", test: testPasswordWithoutFlag},
		{id: "3.1.2-19", meaning: "with the Password Flag, there is a password", test: testPasswordIsPresent},
		{id: "3.1.2-20", meaning: "a client that has nothing to send sends PINGREQ", why: ofClients},
		{id: "3.1.2-21", meaning: "a client uses the Server Keep Alive instead of its own", why: ofClients},
		{id: "3.1.2-22", meaning: "a client that is silent for one and a half keep-alives is disconnected", test: testKeepAlive},
		{id: "3.1.2-23", meaning: "a session with an expiry interval outlives its connection", test: testSessionIsStored},
		{id: "3.1.2-24", meaning: "no packet is sent that exceeds the client's Maximum Packet Size", test: testTooLargePacketsAreNotSent},
		{id: "3.1.2-25", meaning: "a message that is too large counts as sent", test: testTooLargePacketsCountAsSent},
		{id: "3.1.2-26", meaning: "no topic alias exceeds the client's Topic Alias Maximum", test: testAliasesAreWithinTheMaximum},
		{id: "3.1.2-27", meaning: "no topic alias is sent to a client without a Topic Alias Maximum", test: testNoAliases},
		{id: "3.1.2-28", meaning: "no Response Information is sent unless it was requested", test: testNoResponseInformation},
		{id: "3.1.2-29", meaning: "with Request Problem Information 0, only PUBLISH, CONNACK and DISCONNECT have reasons", test: testNoProblemInformation},
		{id: "3.1.2-30", meaning: "until CONNACK, a client that authenticates sends AUTH and DISCONNECT alone", why: ofClients},
		{id: "3.1.3-1", meaning: "the fields of the payload have a fixed order", test: testPayloadOrder},
		{id: "3.1.3-2", meaning: "the client identifier names the state of the session", test: testClientIDIdentifiesTheSession},
		{id: "3.1.3-3", meaning: "the client identifier is present, and the first field", test: testClientIDIsPresent},
		{id: "3.1.3-4", meaning: "the client identifier is well-formed UTF-8", test: testClientIDIsUTF8},
		{id: "3.1.3-5", meaning: "identifiers of 1 to 23 letters and digits are allowed", test: testClientIDCharacters},
		{id: "3.1.3-6", meaning: "a client with an empty identifier is given a unique one", test: testEmptyClientID},
		{id: "3.1.3-7", meaning: "the assigned identifier is in CONNACK, and is as good as one of the client's", test: testAssignedClientIDNamesTheSession},
		{id: "3.1.3-8", meaning: "a client whose identifier is rejected is disconnected", test: testRejectedClientID},
		{id: "3.1.3-9", meaning: "a will is not sent when the client is back before its delay is over", test: testWillIsNotSentAfterAReconnect},
		{id: "3.1.3-10", meaning: "the user properties of a will keep their order", test: testWillPropertiesKeepTheirOrder},
		{id: "3.1.3-11", meaning: "the will topic is well-formed UTF-8", test: testWillTopicIsUTF8},
		{id: "3.1.3-12", meaning: "the user name is well-formed UTF-8", test: testUserNameIsUTF8},
		{id: "3.1.4-1", meaning: "a malformed CONNECT ends the connection", test: testMalformedConnect},
		{id: "3.1.4-2", meaning: "a client that fails further checks is disconnected", test: testUnknownAuthMethod},
		{id: "3.1.4-3", meaning: "a client that connects again ends its old connection, with 0x8E", test: testTakeOver},
		{id: "3.1.4-4", meaning: "Clean Start is processed", test: testCleanStartDiscards},
		{id: "3.1.4-5", meaning: "a CONNECT that is accepted is answered with CONNACK 0x00", test: testConnectIsAcknowledged},
		{id: "3.1.4-6", meaning: "nothing is processed that follows a rejected CONNECT", test: testNothingIsProcessedAfterARefusal},
	}
}

func connackStatements5() []statement {
	return []statement{
		{id: "3.2.0-1", meaning: "nothing but AUTH is sent before CONNACK", test: testConnackIsFirst},
		{id: "3.2.0-2", meaning: "there is one CONNACK in a connection", test: testOneConnack},
		{id: "3.2.2-1", meaning: "bits 7 to 1 of the acknowledge flags are 0", test: testConnackFlags},
		{id: "3.2.2-2", meaning: "Session Present is 0 after Clean Start 1", test: testCleanStartDiscards},
		{id: "3.2.2-3", meaning: "Session Present says whether there is a session", test: testSessionPresent},
		{id: "3.2.2-4", meaning: "a client without a session closes when one is present", why: ofClients},
		{id: "3.2.2-5", meaning: "a client discards its session when none is present", why: ofClients},
		{id: "3.2.2-6", meaning: "Session Present is 0 when the connection is refused", test: testRefusalHasNoSessionPresent},
		{id: "3.2.2-7", meaning: "CONNACK with a code of 0x80 or more is the end of the connection", test: testRefusalIsTheEnd},
		{id: "3.2.2-8", meaning: "CONNACK has one of the connect reason codes", test: testConnackCodes},
		{id: "3.2.2-9", meaning: "a server without QoS 1 or 2 says so", test: testMaximumQoSIsSaid},
		{id: "3.2.2-10", meaning: "a SUBSCRIBE with any QoS is accepted, whatever the Maximum QoS", test: testEveryQoSCanBeSubscribed},
		{id: "3.2.2-11", meaning: "a client keeps to the Maximum QoS", why: ofClients},
		{id: "3.2.2-12", meaning: "a will whose QoS the server does not support is refused", test: testWillQoSBeyondTheMaximum},
		{id: "3.2.2-13", meaning: "a retained will is refused by a server that does not retain", test: testRetainedWillWithoutRetain},
		{id: "3.2.2-14", meaning: "a client does not retain when Retain Available is 0", why: ofClients},
		{id: "3.2.2-15", meaning: "a packet larger than the server's Maximum Packet Size is an error; all others are taken", test: testPacketSizeOfTheServer},
		{id: "3.2.2-16", meaning: "assigned client identifiers are new", test: testAssignedClientIDIsNew},
		{id: "3.2.2-17", meaning: "a topic alias above the server's Topic Alias Maximum is an error", test: testAliasBeyondTheMaximum},
		{id: "3.2.2-18", meaning: "a client sends no aliases when the Topic Alias Maximum is absent", why: ofClients},
		{id: "3.2.2-19", meaning: "no Reason String makes CONNACK exceed the Maximum Packet Size", test: testSmallConnack},
		{id: "3.2.2-20", meaning: "no user property makes CONNACK exceed the Maximum Packet Size", test: testSmallConnack},
		{id: "3.2.2-21", meaning: "a client uses the Server Keep Alive", why: ofClients},
		{id: "3.2.2-22", meaning: "without a Server Keep Alive, that of the client holds", test: testKeepAliveIsTheClients},
	}
}

func publishStatements5() []statement {
	return []statement{
		{id: "3.3.1-1", meaning: "DUP is 1 when a PUBLISH is sent again", test: testDupOnRedelivery},
		{id: "3.3.1-2", meaning: "DUP is 0 at QoS 0", test: testDupAtQoS0},
		{id: "3.3.1-3", meaning: "DUP of what is sent does not depend on DUP of what came", test: testDupIsNotPropagated},
		{id: "3.3.1-4", meaning: "QoS 3 is malformed", test: testQoSThree},
		{id: "3.3.1-5", meaning: "a message with RETAIN 1 replaces the retained one", test: testRetainedIsStored},
		{id: "3.3.1-6", meaning: "an empty message with RETAIN 1 is delivered, and removes the retained one", test: testEmptyRetainedRemoves},
		{id: "3.3.1-7", meaning: "an empty message is not retained", test: testEmptyIsNotRetained},
		{id: "3.3.1-8", meaning: "a message with RETAIN 0 leaves the retained one alone", test: testOthersAreNotRetained},
		{id: "3.3.1-9", meaning: "with Retain Handling 0, the retained messages are sent", test: testRetainedAreSent},
		{id: "3.3.1-10", meaning: "with Retain Handling 1, they are sent for a new subscription only", test: testRetainHandlingOne},
		{id: "3.3.1-11", meaning: "with Retain Handling 2, they are not sent", test: testRetainHandlingTwo},
		{id: "3.3.1-12", meaning: "with Retain As Published 0, RETAIN is 0", test: testLiveHaveNotTheFlag},
		{id: "3.3.1-13", meaning: "with Retain As Published 1, RETAIN is as it came", test: testRetainAsPublished},
		{id: "3.3.2-1", meaning: "the topic name comes first, and is well-formed UTF-8", test: testTopicNameIsUTF8},
		{id: "3.3.2-2", meaning: "a topic name has no wildcards", test: testTopicNameWithWildcards},
		{id: "3.3.2-3", meaning: "the topic name that is sent matches the topic filter", test: testTopicNameMatches},
		{id: "3.3.2-4", meaning: "the Payload Format Indicator is passed on", test: testPayloadFormatPasses},
		{id: "3.3.2-5", meaning: "a message that has expired is not sent", test: testMessageExpires},
		{id: "3.3.2-6", meaning: "the expiry interval is sent less the time that the message has waited", test: testMessageExpiryIsReduced},
		{id: "3.3.2-7", meaning: "topic aliases end with their connection", test: testAliasesEndWithTheConnection},
		{id: "3.3.2-8", meaning: "the topic alias 0 is an error", test: testAliasZero},
		{id: "3.3.2-9", meaning: "a client keeps to the server's Topic Alias Maximum", test: testAliasBeyondTheMaximum},
		{id: "3.3.2-10", meaning: "a client accepts all aliases up to its maximum", why: ofClients},
		{id: "3.3.2-11", meaning: "no topic alias exceeds the client's Topic Alias Maximum", test: testAliasesAreWithinTheMaximum},
		{id: "3.3.2-12", meaning: "the server accepts all aliases up to its maximum", test: testEveryAliasIsAccepted},
		{id: "3.3.2-13", meaning: "the Response Topic is well-formed UTF-8", test: testResponseTopicIsUTF8},
		{id: "3.3.2-14", meaning: "the Response Topic has no wildcards", test: testResponseTopicHasNoWildcards},
		{id: "3.3.2-15", meaning: "the Response Topic is passed on", test: testResponseTopicPasses},
		{id: "3.3.2-16", meaning: "the Correlation Data is passed on", test: testCorrelationDataPasses},
		{id: "3.3.2-17", meaning: "all user properties are passed on", test: testUserPropertiesPass},
		{id: "3.3.2-18", meaning: "user properties keep their order", test: testUserPropertiesPass},
		{id: "3.3.2-19", meaning: "the Content Type is well-formed UTF-8", test: testContentTypeIsUTF8},
		{id: "3.3.2-20", meaning: "the Content Type is passed on", test: testContentTypePasses},
		{id: "3.3.4-1", meaning: "the QoS of a PUBLISH says what answers it", test: testAnswerByQoS},
		{id: "3.3.4-2", meaning: "with several matching subscriptions, the highest QoS counts", test: testOverlappingSubscriptions},
		{id: "3.3.4-3", meaning: "the identifiers of the matching subscriptions are sent", test: testSubscriptionIDsStay},
		{id: "3.3.4-4", meaning: "a single copy has the identifiers of all matching subscriptions", test: testSubscriptionIDs},
		{id: "3.3.4-5", meaning: "each of several copies has the identifier of its subscription", test: testSubscriptionIDs},
		{id: "3.3.4-6", meaning: "a PUBLISH of a client has no subscription identifier", test: testSubscriptionIDFromAClient},
		{id: "3.3.4-7", meaning: "a client that exceeds the server's Receive Maximum is disconnected", test: testReceiveMaximumOfTheServer},
		{id: "3.3.4-8", meaning: "a client delays nothing but PUBLISH for the Receive Maximum", why: ofClients},
		{id: "3.3.4-9", meaning: "no more messages are in flight than the client's Receive Maximum", test: testReceiveMaximumIsKept},
		{id: "3.3.4-10", meaning: "nothing but PUBLISH is delayed for the Receive Maximum", test: testOthersAreNotDelayed},
	}
}

func acknowledgementStatements5() []statement {
	return []statement{
		{id: "3.4.2-1", meaning: "PUBACK has one of its reason codes", test: testPubackCodes},
		{id: "3.4.2-2", meaning: "no Reason String makes PUBACK exceed the Maximum Packet Size", test: testSmallPuback},
		{id: "3.4.2-3", meaning: "no user property makes PUBACK exceed the Maximum Packet Size", test: testSmallPuback},
		{id: "3.5.2-1", meaning: "PUBREC has one of its reason codes", test: testPubrecCodes},
		{id: "3.5.2-2", meaning: "no Reason String makes PUBREC exceed the Maximum Packet Size", test: testSmallPubrec},
		{id: "3.5.2-3", meaning: "no user property makes PUBREC exceed the Maximum Packet Size", test: testSmallPubrec},
		{id: "3.6.1-1", meaning: "the flags of PUBREL are 0010; others are malformed", test: testPubrelFlags},
		{id: "3.6.2-1", meaning: "PUBREL has one of its reason codes", test: testPubrelCodes},
		{id: "3.6.2-2", meaning: "no Reason String makes PUBREL exceed the Maximum Packet Size", test: testSmallPubrel},
		{id: "3.6.2-3", meaning: "no user property makes PUBREL exceed the Maximum Packet Size", test: testSmallPubrel},
		{id: "3.7.2-1", meaning: "PUBCOMP has one of its reason codes", test: testPubcompCodes},
		{id: "3.7.2-2", meaning: "no Reason String makes PUBCOMP exceed the Maximum Packet Size", test: testSmallPubcomp},
		{id: "3.7.2-3", meaning: "no user property makes PUBCOMP exceed the Maximum Packet Size", test: testSmallPubcomp},
	}
}

func subscriptionStatements5() []statement {
	return []statement{
		{id: "3.8.1-1", meaning: "the flags of SUBSCRIBE are 0010; others are malformed", test: testSubscribeFlags},
		{id: "3.8.3-1", meaning: "topic filters are well-formed UTF-8", test: testTopicFiltersAreUTF8},
		{id: "3.8.3-2", meaning: "SUBSCRIBE has at least one topic filter", test: testSubscribeToNothing},
		{id: "3.8.3-3", meaning: "with No Local, a client's own messages are not sent to it", test: testNoLocal},
		{id: "3.8.3-4", meaning: "No Local on a shared subscription is a protocol error", test: testNoLocalOfAShare},
		{id: "3.8.3-5", meaning: "reserved bits of the subscription options are malformed", test: testReservedOptions},
		{id: "3.8.4-1", meaning: "SUBSCRIBE is answered with SUBACK", test: testSubscribeIsAnswered},
		{id: "3.8.4-2", meaning: "SUBACK has the packet identifier of SUBSCRIBE", test: testSubackHasThePacketID},
		{id: "3.8.4-3", meaning: "an equal topic filter replaces the subscription", test: testSubscriptionIsReplaced},
		{id: "3.8.4-4", meaning: "replacing a subscription sends the retained messages again, and loses none", test: testReplacingLosesNothing},
		{id: "3.8.4-5", meaning: "several topic filters are as several SUBSCRIBEs with one answer", test: testSeveralFilters},
		{id: "3.8.4-6", meaning: "SUBACK has a reason code for each topic filter", test: testSubackCodes},
		{id: "3.8.4-7", meaning: "the reason code says the QoS that was granted, or a failure", test: testSubackCodes},
		{id: "3.8.4-8", meaning: "the QoS is the lower of that of the message and that which was granted", test: testGrantedQoSIsTheLimit},
		{id: "3.9.2-1", meaning: "no Reason String makes SUBACK exceed the Maximum Packet Size", test: testSmallSuback},
		{id: "3.9.2-2", meaning: "no user property makes SUBACK exceed the Maximum Packet Size", test: testSmallSuback},
		{id: "3.9.3-1", meaning: "the reason codes of SUBACK have the order of the topic filters", test: testSubackCodes},
		{id: "3.9.3-2", meaning: "SUBACK has subscribe reason codes", test: testSubackCodes},
		{id: "3.10.1-1", meaning: "the flags of UNSUBSCRIBE are 0010; others are malformed", test: testUnsubscribeFlags},
		{id: "3.10.3-1", meaning: "the topic filters of UNSUBSCRIBE are well-formed UTF-8", test: testUnsubscribeFiltersAreUTF8},
		{id: "3.10.3-2", meaning: "UNSUBSCRIBE has at least one topic filter", test: testUnsubscribeFromNothing},
		{id: "3.10.4-1", meaning: "UNSUBSCRIBE ends the subscriptions with exactly these topic filters", test: testUnsubscribeComparesExactly},
		{id: "3.10.4-2", meaning: "no messages are added after UNSUBSCRIBE", test: testUnsubscribeStopsMessages},
		{id: "3.10.4-3", meaning: "the delivery of messages that were sent is completed", test: testUnsubscribeCompletesDelivery},
		{id: "3.10.4-4", meaning: "UNSUBSCRIBE is answered with UNSUBACK", test: testUnsubscribeIsAnswered},
		{id: "3.10.4-5", meaning: "UNSUBACK comes even when nothing was subscribed", test: testUnsubscribeIsAnswered},
		{id: "3.10.4-6", meaning: "several topic filters are as several UNSUBSCRIBEs with one answer", test: testUnsubscribeSeveral},
		{id: "3.11.2-1", meaning: "no Reason String makes UNSUBACK exceed the Maximum Packet Size", test: testSmallUnsuback},
		{id: "3.11.2-2", meaning: "no user property makes UNSUBACK exceed the Maximum Packet Size", test: testSmallUnsuback},
		{id: "3.11.3-1", meaning: "the reason codes of UNSUBACK have the order of the topic filters", test: testUnsubackCodes},
		{id: "3.11.3-2", meaning: "UNSUBACK has unsubscribe reason codes", test: testUnsubackCodes},
	}
}

func endingStatements5() []statement {
	return []statement{
		{id: "3.12.4-1", meaning: "PINGREQ is answered with PINGRESP", test: testPing},
		{id: "3.14.0-1", meaning: "a server sends no DISCONNECT before CONNACK", test: testNoDisconnectBeforeConnack},
		{id: "3.14.1-1", meaning: "the reserved bits of DISCONNECT are 0; others are answered with 0x81", test: testReservedBitsOfDisconnect},
		{id: "3.14.2-1", meaning: "DISCONNECT has one of its reason codes", test: testDisconnectCodes},
		{id: "3.14.2-2", meaning: "DISCONNECT from a server has no Session Expiry Interval", test: testDisconnectHasNoSessionExpiry},
		{id: "3.14.2-3", meaning: "no Reason String makes DISCONNECT exceed the Maximum Packet Size", test: testSmallDisconnect},
		{id: "3.14.2-4", meaning: "no user property makes DISCONNECT exceed the Maximum Packet Size", test: testSmallDisconnect},
		{id: "3.14.4-1", meaning: "nothing is sent after DISCONNECT", test: testDisconnectIsTheLast},
		{id: "3.14.4-2", meaning: "the sender of DISCONNECT closes the connection", test: testTakeOver},
		{id: "3.14.4-3", meaning: "DISCONNECT 0x00 discards the will", test: testWillIsDiscardedByDisconnect},
		{id: "3.15.1-1", meaning: "the flags of AUTH are 0000; others are malformed", test: testAuthFlags},
		{id: "3.15.2-1", meaning: "AUTH has one of its reason codes", test: testAuthCodes},
		{id: "3.15.2-2", meaning: "no Reason String makes AUTH exceed the Maximum Packet Size", why: "no server has a reason to send one that a test could provoke"},
		{id: "3.15.2-3", meaning: "no user property makes AUTH exceed the Maximum Packet Size", why: "no server has a reason to send one that a test could provoke"},
	}
}

func deliveryStatements5() []statement {
	return []statement{
		{id: "4.1.0-1", meaning: "the session is not discarded while the connection is open", test: testSessionLastsWhileConnected},
		{id: "4.1.0-2", meaning: "the session is discarded when its expiry interval has passed", test: testSessionExpires},
		{id: "4.2-1", meaning: "an ordered, lossless stream of bytes is supported", test: testConnectIsAcknowledged},
		{id: "4.3.1-1", meaning: "QoS 0 is sent with DUP 0", test: testQoS0HasNoDup},
		{id: "4.3.2-1", meaning: "a message of QoS 1 has an unused packet identifier", test: testServerPacketIDs},
		{id: "4.3.2-2", meaning: "a message of QoS 1 is sent with DUP 0", test: testServerPacketIDs},
		{id: "4.3.2-3", meaning: "a message of QoS 1 is unacknowledged until PUBACK", test: testQoS1IsResent},
		{id: "4.3.2-4", meaning: "a message of QoS 1 is answered with PUBACK", test: testPubackForQoS1},
		{id: "4.3.2-5", meaning: "after PUBACK, the packet identifier means a new message", test: testPacketIDAfterPuback},
		{id: "4.3.3-1", meaning: "a message of QoS 2 has an unused packet identifier", test: testServerPacketIDs},
		{id: "4.3.3-2", meaning: "a message of QoS 2 is sent with DUP 0", test: testServerPacketIDs},
		{id: "4.3.3-3", meaning: "a message of QoS 2 is unacknowledged until PUBREC", test: testQoS2IsResent},
		{id: "4.3.3-4", meaning: "PUBREC is answered with PUBREL", test: testPubrelFollowsPubrec},
		{id: "4.3.3-5", meaning: "PUBREL is unacknowledged until PUBCOMP", test: testPubrelIsResent},
		{id: "4.3.3-6", meaning: "the PUBLISH is not sent again after PUBREL", test: testPubrelIsResent},
		{id: "4.3.3-7", meaning: "a message that was sent does not expire", test: testExpiryAfterSending},
		{id: "4.3.3-8", meaning: "a message of QoS 2 is answered with PUBREC", test: testPubrecForQoS2},
		{id: "4.3.3-9", meaning: "after PUBREC with 0x80 or more, the packet identifier means a new message", test: testPacketIDAfterARefusal},
		{id: "4.3.3-10", meaning: "until PUBREL, a PUBLISH that is repeated is answered, and not delivered again", test: testQoS2IsDeliveredOnce},
		{id: "4.3.3-11", meaning: "PUBREL is answered with PUBCOMP", test: testPubcompForPubrel},
		{id: "4.3.3-12", meaning: "after PUBCOMP, the packet identifier means a new message", test: testPacketIDAfterPubcomp},
		{id: "4.3.3-13", meaning: "the flow of QoS 2 goes on when the message has expired", test: testExpiryDuringTheFlow},
		{id: "4.4.0-1", meaning: "what is unacknowledged is sent again when the session is resumed, and then only", test: testResendAtReconnectOnly},
		{id: "4.4.0-2", meaning: "what was refused is not sent again", test: testRefusedMessagesAreNotResent},
		{id: "4.5.0-1", meaning: "a message becomes part of the session of every matching client", test: testMessagesWaitForASession},
		{id: "4.5.0-2", meaning: "a client acknowledges every message", why: ofClients},
	}
}

func topicStatements5() []statement {
	return []statement{
		{id: "4.6.0-1", meaning: "a client sends messages again in their order", why: ofClients},
		{id: "4.6.0-2", meaning: "a client sends PUBACK in the order of the messages", why: ofClients},
		{id: "4.6.0-3", meaning: "a client sends PUBREC in the order of the messages", why: ofClients},
		{id: "4.6.0-4", meaning: "a client sends PUBREL in the order of PUBREC", why: ofClients},
		{id: "4.6.0-5", meaning: "messages of a client are delivered in their order, by topic and QoS", test: testOrder},
		{id: "4.6.0-6", meaning: "every topic is ordered unless the subscription is shared", test: testOrder},
		{id: "4.7.0-1", meaning: "wildcards are not used in topic names", test: testTopicNameWithWildcards},
		{id: "4.7.1-1", meaning: "# is the last character, and a level of its own", test: testMultiLevelWildcard},
		{id: "4.7.1-2", meaning: "+ is a level of its own", test: testSingleLevelWildcard},
		{id: "4.7.2-1", meaning: "filters that begin with a wildcard match no topic that begins with $", test: testSystemTopicsAreHidden},
		{id: "4.7.3-1", meaning: "topic names and filters are not empty", test: testEmptyTopics},
		{id: "4.7.3-2", meaning: "topic names and filters do not contain U+0000", test: testNullInTopics},
		{id: "4.7.3-3", meaning: "topic names and filters have at most 65,535 bytes", why: "the length of a string cannot say more"},
		{id: "4.7.3-4", meaning: "topic names and filters are not normalized", test: testTopicsAreNotNormalized},
		{id: "4.8.2-1", meaning: "a shared subscription is $share/ and a name of at least one character", test: testShareName},
		{id: "4.8.2-2", meaning: "the name has no wildcards, and is followed by a topic filter", test: testShareNameCharacters},
		{id: "4.8.2-3", meaning: "the QoS that was granted to a shared subscription is kept", test: testShareKeepsTheQoS},
		{id: "4.8.2-4", meaning: "delivery of QoS 2 is completed to the chosen member when it is back", test: testShareCompletesQoS2},
		{id: "4.8.2-5", meaning: "when the session of the chosen member ends, no other gets the message of QoS 2", test: testShareOfAnEndedSession},
		{id: "4.8.2-6", meaning: "a message that a member refuses goes to no other", test: testShareRefusedByAMember},
		{id: "4.9.0-1", meaning: "the send quota begins within the Receive Maximum", test: testSendQuota},
		{id: "4.9.0-2", meaning: "nothing of QoS 1 or 2 is sent when the quota is used up", test: testReceiveMaximumIsKept},
		{id: "4.9.0-3", meaning: "all other packets are processed when the quota is used up", test: testOthersAreNotDelayed},
	}
}

func errorStatements5() []statement {
	return []statement{
		{id: "4.12.0-1", meaning: "an authentication method that is not supported ends the connection", test: testUnknownAuthMethod},
		{id: "4.12.0-2", meaning: "AUTH asks for more with 0x18", test: testAuthCodes},
		{id: "4.12.0-3", meaning: "a client answers AUTH with 0x18", why: ofClients},
		{id: "4.12.0-4", meaning: "authentication that is rejected ends the connection", test: testAuthenticationIsRejected},
		{id: "4.12.0-5", meaning: "AUTH and CONNACK repeat the authentication method", test: testAuthMethodIsRepeated},
		{id: "4.12.0-6", meaning: "without an authentication method, there is none in CONNACK, and no AUTH", test: testNoAuthUnasked},
		{id: "4.12.0-7", meaning: "AUTH without an authentication method in CONNECT is an error", test: testAuthWithoutMethod},
		{id: "4.12.1-1", meaning: "a client authenticates again with the same method", why: ofClients},
		{id: "4.12.1-2", meaning: "re-authentication that fails ends the connection", why: "needs an account on the server"},
		{id: "4.13.1-1", meaning: "a malformed packet or protocol error ends the connection", test: testViolationsEndTheConnection},
		{id: "4.13.2-1", meaning: "CONNACK or DISCONNECT of 0x80 or more is the end of the connection", test: testErrorCodesEndTheConnection},
	}
}

func transportStatements5() []statement {
	return []statement{
		{id: "6.0.0-1", meaning: "packets come in binary WebSocket frames; others end the connection", test: testWebSocketFramesAreBinary},
		{id: "6.0.0-2", meaning: "packets and WebSocket frames need not be aligned", test: testWebSocketFramesAreAStream},
		{id: "6.0.0-3", meaning: "a client offers the subprotocol mqtt", why: ofClients},
		{id: "6.0.0-4", meaning: "the server selects the subprotocol mqtt", test: testWebSocketProtocol},
	}
}
