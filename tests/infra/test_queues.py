from flywheel.batches.uploads import MOST_DELIVERIES
from tests.infra.synthesis import Synthesized, joined, listed, plain


def test_every_queue_is_encrypted_and_redriven_when_it_is_made(
    each: Synthesized, team: Synthesized
) -> None:
    """A message that fails five times is kept for two weeks in a queue of its own."""
    for stack in (each, team):
        queues = stack.properties("AWS::SQS::Queue")
        for name, queue in queues.items():
            assert queue["SqsManagedSseEnabled"] is True
            assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
            if "DeadLetters" in name:
                assert "RedrivePolicy" not in queue
                continue
            redrive = queue["RedrivePolicy"]
            assert redrive["maxReceiveCount"] == MOST_DELIVERIES
            assert "DeadLetters" in redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]
        assert len([name for name in queues if "DeadLetters" in name]) * 2 == len(queues)


def test_each_upload_becomes_a_message_when_it_is_created(each: Synthesized) -> None:
    """The inbox's events go to its queue, and what cannot be delivered to the dead letters."""
    (rule,) = [
        rule for rule in each.properties("AWS::Events::Rule").values() if "EventPattern" in rule
    ]
    pattern = rule["EventPattern"]
    assert pattern["source"] == ["aws.s3"]
    assert pattern["detail-type"] == ["Object Created"]
    (bucket,) = pattern["detail"]["bucket"]["name"]
    assert plain(bucket["Ref"]) == "InboxBucket"
    (target,) = rule["Targets"]
    assert joined(target["Arn"]) == "${InboxUploadsQueue.Arn}"
    assert joined(target["DeadLetterConfig"]["Arn"]) == "${InboxUploadsDeadLetters.Arn}"
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 24 * 3600


def test_only_our_rule_may_send_uploads_when_the_queue_is_made(each: Synthesized) -> None:
    """EventBridge may send to the queue and its dead letters on behalf of our rule alone."""
    (rule,) = [
        name
        for name, item in each.properties("AWS::Events::Rule").items()
        if "EventPattern" in item
    ]
    senders = {
        joined(statement["Resource"]): statement["Condition"]
        for policy in each.properties("AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        and statement["Principal"] == {"Service": "events.amazonaws.com"}
    }
    assert set(senders) == {"${InboxUploadsQueue.Arn}", "${InboxUploadsDeadLetters.Arn}"}
    for condition in senders.values():
        assert condition["ArnEquals"]["aws:SourceArn"] == {"Fn::GetAtt": [rule, "Arn"]}


def test_a_message_stays_hidden_while_its_function_runs_when_it_is_read(
    each: Synthesized, team: Synthesized
) -> None:
    """A queue hides a message for six time-outs of its function, which runs twice at most."""
    for stack in (each, team):
        queues = stack.properties("AWS::SQS::Queue")
        functions = stack.properties("AWS::Lambda::Function")
        mappings = stack.properties("AWS::Lambda::EventSourceMapping").values()
        assert len(mappings) == (3 if stack is team else 2)
        for mapping in mappings:
            queue = queues[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
            function = functions[mapping["FunctionName"]["Ref"]]
            assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
            assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}
            if mapping["BatchSize"] > 1:
                assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_each_upload_is_read_alone_when_its_message_arrives(each: Synthesized) -> None:
    """A call gets one message, may put it off, and knows the queue that it came from."""
    (mapping,) = [
        item
        for item in each.properties("AWS::Lambda::EventSourceMapping").values()
        if joined(item["EventSourceArn"]) == "${InboxUploadsQueue.Arn}"
    ]
    assert mapping["BatchSize"] == 1
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    variables = each.function("RegisterUpload")["Environment"]["Variables"]
    assert joined(variables["UPLOADS_QUEUE_URL"]) == "${InboxUploadsQueue}"
    who_may = {
        plain(role)
        for role, statement in each.statements()
        if "sqs:ChangeMessageVisibility" in listed(statement["Action"])
        and "${InboxUploadsQueue.Arn}" in map(joined, listed(statement["Resource"]))
    }
    assert who_may == {"RegisterUploadServiceRole"}


def test_lost_events_are_looked_for_when_time_passes(each: Synthesized) -> None:
    """The reconciling function runs every quarter of an hour."""
    (rule,) = [
        rule
        for rule in each.properties("AWS::Events::Rule").values()
        if "ScheduleExpression" in rule
    ]
    assert rule["ScheduleExpression"] == "rate(15 minutes)"
    assert joined(rule["Targets"][0]["Arn"]) == "${Reconcile.Arn}"


def test_nobody_is_written_to_when_no_address_is_given(dev: Synthesized) -> None:
    """Without addresses there is a topic, and nothing that leaves the account."""
    assert len(dev.resources("AWS::SNS::Topic")) == 1
    assert not dev.resources("AWS::SNS::Subscription")
    assert "NotifySlack" not in {plain(name) for name in dev.resources("AWS::Lambda::Function")}


def test_people_are_written_to_when_addresses_are_given(team: Synthesized) -> None:
    """Each address is subscribed by e-mail, and Slack through a queue."""
    subscriptions = list(team.properties("AWS::SNS::Subscription").values())
    emails = {item["Endpoint"] for item in subscriptions if item["Protocol"] == "email"}
    assert emails == {"one@example.com", "two@example.com"}
    (slack,) = [item for item in subscriptions if item["Protocol"] == "sqs"]
    assert joined(slack["Endpoint"]) == "${NoticesSlackQueue.Arn}"


def test_the_webhook_stays_secret_when_slack_is_told(team: Synthesized) -> None:
    """The function knows the secret's name, and only it may read it."""
    variables = team.function("NotifySlack")["Environment"]["Variables"]
    assert variables["SLACK_SECRET"] == "flywheel/slack-webhook"
    readers = {
        plain(role)
        for role, statement in team.statements()
        if "secretsmanager:GetSecretValue" in statement["Action"]
    }
    assert readers == {"NotifySlackServiceRole"}


def test_the_topic_is_encrypted_when_it_is_made(each: Synthesized) -> None:
    """Notices are encrypted where they rest."""
    (topic,) = each.properties("AWS::SNS::Topic").values()
    assert joined(topic["KmsMasterKeyId"]) == "${NoticesKey.Arn}"
