#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The whole path of a page (TEXTBOOK 21): dig asks a name server (BIND), curl the address that came back; there nginx
# passes the request on to uwsgi, and that to an application in Python. Every hop is one over Haul and over the link:
# names and nginx are on the far host, curl, dig and the application on the near one.
. ./programs/lib.sh

names_up() {
	cat >"$work/named.conf" <<-END
		options {
			directory "$work"; pid-file "$work/named.pid"; session-keyfile "$work/named.key";
			listen-on { $far4; }; listen-on-v6 { none; }; recursion no; dnssec-validation no;
		};
		controls { };
		zone "example.test" { type primary; file "$work/zone"; };
	END
	cat >"$work/zone" <<-END
		\$TTL 60
		@ IN SOA ns.example.test. admin.example.test. 1 3600 600 86400 60
		@ IN NS ns.example.test.
		ns IN A $far4
		www IN A $far4
	END
	far_serves named -g -c "$work/named.conf" -n 1
}

application_up() {
	cat >"$work/application.py" <<-'END'
		def application(environ, start_response):
		    body = environ["wsgi.input"].read()
		    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Bytes", str(len(body)))])
		    name = environ["QUERY_STRING"].partition("name=")[2]
		    yield ("Hello, %s, at %s%s\n" % (name, environ["HTTP_HOST"], environ["PATH_INFO"])).encode()
		    yield body[::-1]
	END
	near_serves uwsgi_python3 --socket "$near4:3031" --wsgi-file "$work/application.py" --master --processes 2 \
		--need-app --chdir "$work"
}

proxy_up() {
	cat >"$work/nginx.conf" <<-END
		daemon off; user root; pid $work/pid; error_log $work/error.log;
		events { }
		http {
			access_log off; client_max_body_size 8m; client_body_temp_path $work/b; proxy_temp_path $work/p;
			fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;
			server {
				listen 80;
				location / { include /etc/nginx/uwsgi_params; uwsgi_pass $near4:3031; }
			}
		}
	END
	far_serves nginx -c "$work/nginx.conf"
}

page() {
	programs_up
	names_up
	application_up
	proxy_up
	listens "$far" 53
	listens "$near" 3031
	listens "$far" 80
	local address
	address=$(near_runs dig "${dig_by[@]}" +short "@$far4" www.example.test A)
	[ "$address" = "$far4" ]
	[ "$(near_runs curl -sS --max-time 30 --resolve "www.example.test:80:$address" \
		'http://www.example.test/a/page?name=you')" = "Hello, you, at www.example.test/a/page" ]
	random 1000000 "$work/body"
	near_runs curl -sS --max-time 60 --resolve "www.example.test:80:$address" --data-binary "@$work/body" \
		'http://www.example.test/' >"$work/answer"
	/usr/bin/python3 - "$work/answer" "$work/body" <<-'END'
		import sys
		answer, body = (open(name, "rb").read() for name in sys.argv[1:])
		assert answer == b"Hello, , at www.example.test/\n" + body[::-1]
	END
	# nginx took two, and passed two on
	carried $1
	[ "$(counter "$near" PassiveOpens)" = 2 ]
}

name_by_stream() { dig_by=(+tcp); page 3; }
name_by_datagram() { needs_datagrams; dig_by=(); page 2; carried_datagrams; }

run_cases name_by_stream name_by_datagram
