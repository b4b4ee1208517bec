"""An LMS and a grader that do not give up, to see what a server loses.

learners.py COUNT: hand in COUNT submissions, then pull and grade until all are
graded, each step again and again until it is answered. Prints how far it is,
and at the end how many of the acknowledged submissions got their callback.
"""
import json
import re
import sys
import time

import requests

XQUEUE = 'http://xqueue:18040/xqueue'
LMS = 'http://lms'
count = int(sys.argv[1])
session = requests.Session()
end = time.monotonic() + 120


def ask(method, path, **fields):
    """The content of a good answer; None when there is nothing to get."""
    while time.monotonic() < end:
        try:
            reply = session.request(method, XQUEUE + path, timeout=5, **fields)
        except requests.RequestException:
            time.sleep(0.05)
            continue
        if reply.status_code == 200:
            answer = reply.json()
            return answer['content'] if answer['return_code'] == 0 else None
        time.sleep(0.05)
    sys.exit('no answer in time')


def hand_in(number):
    header = {'lms_callback_url': '%s/%d' % (LMS, number),
              'lms_key': str(number), 'queue_name': 'test-pull'}
    fields = {'xqueue_header': json.dumps(header), 'xqueue_body': str(number)}
    assert ask('POST', '/submit/', data=fields) is not None


def grade_one():
    """The number of the submission that is graded now, or None."""
    content = ask('GET', '/get_submission/', params={'queue_name': 'test-pull'})
    if content is None:
        time.sleep(0.05)
        return None
    pulled = json.loads(content)
    result = ask('POST', '/put_result/',
                 data={'xqueue_header': pulled['xqueue_header'],
                       'xqueue_body': 'grade of ' + pulled['xqueue_body']})
    return None if result is None else int(pulled['xqueue_body'])


def called_back():
    """How many of the submissions the LMS has heard of."""
    page = requests.get(LMS + '/received', timeout=5).text
    return len(set(re.findall('"grade of ([0-9]+)"', page)))


assert ask('POST', '/login/', data={'username': 'lms',
                                    'password': 'password'}) == 'Logged in'
for number in range(count):
    hand_in(number)
    print('handed in', number + 1, flush=True)
graded = set()
while len(graded) < count:
    number = grade_one()
    if number is not None:
        graded.add(number)
        print('graded', len(graded), flush=True)
while called_back() < count and time.monotonic() < end:
    time.sleep(0.1)
print('called back', called_back(), flush=True)
