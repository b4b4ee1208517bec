"""An LMS that hands in files with python-requests, as edX's does.

upload.py URL HEADER FILE...: submit, be sent to the login, log in, rewind the
files, submit again. The field name of a file is its name. Prints the answer.
"""
import os
import sys

import requests

url, header = sys.argv[1], sys.argv[2]
files = {os.path.basename(path): open(path, 'rb') for path in sys.argv[3:]}
session = requests.Session()


def submit():
    for file in files.values():
        file.seek(0)
    reply = session.post(url + '/xqueue/submit/',
                         data={'xqueue_header': header, 'xqueue_body': 'body'},
                         files=files, timeout=(60, 60))
    assert reply.status_code == 200, reply.status_code
    return reply.json()


answer = submit()
assert answer == {'return_code': 1, 'content': 'login_required'}, answer
answer = session.post(url + '/xqueue/login/',
                      data={'username': 'lms', 'password': 'password'}).json()
assert answer['return_code'] == 0, answer
print(submit())
