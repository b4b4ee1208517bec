#!/usr/bin/python3
"""An S3 server for tests: OpenStack Swift behind its own S3 interface.

    s3_server.py FOLDER [PORT]

All parts of Swift run in this one process, on loopback. Objects are in
memory, the listings are SQLite files in FOLDER, which must exist and is best
in memory, too. Says "S3 server at http://127.0.0.1:PORT" once it answers and
the bucket is there; SIGTERM ends it. It checks signatures, their age, and the
digests of bodies.

Needs Debian's python3-swift and nothing that runs already. The names below
are also those of tests/support/s3_server.h.
"""

import os
import signal
import sys
from array import array

from swift.common import utils

utils.eventlet_monkey_patch()

import eventlet
from eventlet import wsgi
from swift.account.server import AccountController
from swift.common.ring.ring import RingData
from swift.common.storage_policy import reload_storage_policies
from swift.common.swob import Request
from swift.common.wsgi import SwiftHttpProtocol, loadapp
from swift.container.server import ContainerController
from swift.obj.mem_server import ObjectController

# The access key is "account:user"; Swift knows no others.
ACCOUNT = 'xqueue'
USER = 'tests'
SECRET = 'tests+Secret/Key=1'
REGION = 'eu-test-1'
BUCKET = 'uploads'
DOMAIN = 'localhost'  # BUCKET.localhost is the bucket, too

SWIFT_CONF = '''
[swift-hash]
swift_hash_path_suffix = tests
[storage-policy:0]
name = tests
default = yes
'''

PROXY_CONF = '''
[DEFAULT]
swift_dir = {folder}
log_level = ERROR
[pipeline:main]
pipeline = catch_errors s3api tempauth proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:s3api]
use = egg:swift#s3api
location = {region}
storage_domain = {domain}
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{user} = {secret} .admin
'''


class Cache:
    """Stands where Swift expects memcached, for what it knows of the account
    and the bucket: else each request costs three."""

    def __init__(self):
        self.known = {}

    def get(self, key, *_args, **_options):
        return self.known.get(key)

    def set(self, key, value, *_args, **_options):
        self.known[key] = value

    def delete(self, key, *_args, **_options):
        self.known.pop(key, None)

    def incr(self, *_args, **_options):
        return None

    decr = incr


class Quiet:
    """A log for the HTTP servers, which would tell of every request."""

    def debug(self, *_args):
        pass

    info = write = debug


def serve(app, port=0):
    """Start a server of its own for `app`; its port."""
    listener = eventlet.listen(('127.0.0.1', port))
    eventlet.spawn(wsgi.server, listener, app, Quiet(),
                   protocol=SwiftHttpProtocol,
                   capitalize_response_headers=False)
    return listener.getsockname()[1]


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)
    return path


def write_ring(folder, name, port):
    """One device, one copy, all partitions."""
    device = {'id': 0, 'zone': 1, 'weight': 1.0, 'device': 'device',
              'ip': '127.0.0.1', 'port': port,
              'replication_ip': '127.0.0.1', 'replication_port': port}
    RingData([array('H', [0, 0])], [device], 31).save(
        os.path.join(folder, name + '.ring.gz'))


def start_backends(folder):
    conf = {'swift_dir': folder, 'devices': folder, 'mount_check': 'false',
            'log_level': 'ERROR'}
    os.makedirs(os.path.join(folder, 'device', 'tmp'), exist_ok=True)
    for name, controller in (('account', AccountController),
                             ('container', ContainerController),
                             ('object', ObjectController)):
        write_ring(folder, name, serve(controller(conf)))


def make_proxy(folder):
    path = write(folder, 'proxy.conf', PROXY_CONF.format(
        folder=folder, region=REGION, domain=DOMAIN, account=ACCOUNT,
        user=USER, secret=SECRET))
    pipeline = loadapp(path)
    cache = Cache()

    def proxy(environment, start_response):
        environment['swift.cache'] = cache
        return pipeline(environment, start_response)

    return pipeline, proxy


def make_bucket(pipeline):
    """By Swift's own interface, inside of the authentication."""
    request = Request.blank(
        '/v1/AUTH_%s/%s' % (ACCOUNT, BUCKET),
        environ={'REQUEST_METHOD': 'PUT', 'swift.cache': Cache(),
                 'swift_owner': True})
    response = request.get_response(pipeline._pipeline_final_app)
    if response.status_int // 100 != 2:
        sys.exit('no bucket: ' + response.status)


def main():
    folder = os.path.abspath(sys.argv[1])
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0

    write(folder, 'swift.conf', SWIFT_CONF)
    utils.set_swift_dir(folder)
    reload_storage_policies()
    start_backends(folder)
    pipeline, proxy = make_proxy(folder)
    make_bucket(pipeline)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    print('S3 server at http://127.0.0.1:%d' % serve(proxy, port), flush=True)
    eventlet.Event().wait()


if __name__ == '__main__':
    main()
