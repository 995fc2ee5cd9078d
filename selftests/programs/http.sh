#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# HTTP (TEXTBOOK 20): nginx and curl. Methods, status codes, ranges, persistent connections, a large body, many at once.
. ./programs/lib.sh

server_up() {
	programs_up
	mkdir -p "$work/root" "$work/bodies"
	random 3000000 "$work/root/large"
	random 2000 "$work/root/small"
	cat >"$work/nginx.conf" <<-END
		daemon off; user root; pid $work/pid; error_log $work/error.log; worker_processes 2;
		events { worker_connections 512; }
		http {
			access_log off; client_max_body_size 32m;
			client_body_temp_path $work/bodies; proxy_temp_path $work/proxied;
			fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;
			server {
				listen 80; listen [::]:80; root $work/root;
				location /moved { return 307 /small; }
				location /bad { return 400; }
				location /broken { return 500; }
				# the body stays in a file, whose name is the answer, by way of another hop
				location /post {
					client_body_in_file_only on; proxy_pass_request_body off;
					proxy_set_header Content-Length ""; proxy_set_header X-File \$request_body_file;
					proxy_pass http://127.0.0.1:81/;
				}
			}
			server { listen 127.0.0.1:81; location / { return 200 \$http_x_file; } }
		}
	END
	far_serves nginx -c "$work/nginx.conf"
	listens "$far" 80
}

fetch() { near_runs curl -sS --max-time 60 "$@"; }

# status URL-PATH CURL-OPTION...
status() { fetch -o /dev/null -w '%{http_code}' "${@:2}" "http://$far4$1"; }

get() {
	local address

	server_up
	for address in "$far4" "[$far6]"; do
		fetch -o "$work/got" "http://$address/large"
		same "$work/got" "$work/root/large"
	done
	carried 2
}

status_codes() {
	server_up
	[ "$(status /small)" = 200 ]
	[ "$(status /moved)" = 307 ]
	[ "$(status /bad)" = 400 ]
	[ "$(status /nothing)" = 404 ]
	[ "$(status /broken)" = 500 ]
	[ "$(status /moved -L)" = 200 ]
	# a request line that is none
	[ "$(status /small -X 'G T')" = 400 ]
	carried 7
}

range() {
	server_up
	[ "$(fetch -r 1000-1999 -o "$work/part" -w '%{http_code}' "http://$far4/large")" = 206 ]
	head -c 2000 "$work/root/large" | tail -c 1000 | same - "$work/part"
	[ "$(status /small -r 9000-)" = 416 ]
	carried 2
}

# the headers and the empty line, as they are on the wire
by_hand() {
	server_up
	printf 'GET /small HTTP/1.0\r\nHost: x\r\n\r\n' >"$work/request"
	near_runs /usr/bin/python3 - "$far4" "$work/request" >"$work/answer" <<-'END'
		import socket, sys
		s = socket.create_connection((sys.argv[1], 80))
		s.sendall(open(sys.argv[2], "rb").read())
		while data := s.recv(65536):
		    sys.stdout.buffer.write(data)
	END
	sed '/^\r$/q' "$work/answer" >"$work/head"
	[ "$(head -1 "$work/head")" = $'HTTP/1.1 200 OK\r' ]
	grep -q $'^Content-Length: 2000\r$' "$work/head"
	tail -c 2000 "$work/answer" | same - "$work/root/small"
	carried 1
}

keep_alive() {
	server_up
	# three requests, and no connection but the first
	[ "$(fetch -o /dev/null -w '%{num_connects}' "http://$far4/small" --next -sS -o /dev/null -w '%{num_connects}' \
		"http://$far4/small" --next -sS -o /dev/null -w '%{num_connects}' "http://$far4/large")" = 100 ]
	[ "$(counter "$far" PassiveOpens)" = 1 ]
	carried 1
}

post_20_megabytes() {
	server_up
	random 20000000 "$work/body"
	local file
	file=$(fetch --data-binary "@$work/body" -H 'Expect:' "http://$far4/post")
	same "$file" "$work/body"
	# curl's and nginx's own to the second hop
	carried 2
}

hundred_at_once() {
	server_up
	local i
	for i in {1..100}; do
		echo "url=http://$far4/small?$i"
		echo "output=$work/got.$i"
	done >"$work/urls"
	fetch -Z --parallel-immediate --parallel-max 100 -K "$work/urls"
	for i in {1..100}; do
		same "$work/got.$i" "$work/root/small"
	done
	carried 50
}

run_cases get status_codes range by_hand keep_alive post_20_megabytes hundred_at_once
