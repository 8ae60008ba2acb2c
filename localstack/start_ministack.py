"""Starts MiniStack with what it gets wrong put right, as far as the deployment test needs it.

Usage: python start_ministack.py, with MiniStack's own environment variables.
"""

from ministack import app
from ministack.core import iam_actions

# The right to the single operation is the right to its batch, which has no action of its own:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
BATCHES = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}

extract_iam_action = iam_actions.extract_iam_action


def aws_action(*request):
    """The action that AWS checks for a request, None where it checks none."""
    action = extract_iam_action(*request)
    return BATCHES.get(action, action)


iam_actions.extract_iam_action = aws_action
# With TLS it would also listen on port 443, for clients of a service that is not used here.
app._port_is_bindable = lambda host, port: False

app.main()
