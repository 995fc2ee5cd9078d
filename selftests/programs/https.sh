#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# HTTPS: nginx and curl with certificates of an authority of their own, over HTTP/1.1 and HTTP/2. The client checks what
# it is shown, and refuses another name, another authority and one whose time is over.
. ./programs/lib.sh

# certificate NAME DAYS: $work/NAME.pem and .key, for www.example.test, by the authority
certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=www.example.test \
		-keyout "$work/$1.key" -out "$work/$1.csr" 2>/dev/null
	openssl x509 -req -in "$work/$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days "$2" \
		-extfile <(echo subjectAltName=DNS:www.example.test) -out "$work/$1.pem" 2>/dev/null
}

authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -days 2 \
		-keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null
}

server_up() {
	programs_up
	authority ca
	authority other
	certificate good 2
	certificate late -1
	mkdir "$work/root"
	random 3000000 "$work/root/large"
	random 2000 "$work/root/small"
	cat >"$work/nginx.conf" <<-END
		daemon off; user root; pid $work/pid; error_log $work/error.log; worker_processes 2;
		events { }
		http {
			access_log off; client_body_temp_path $work/b; proxy_temp_path $work/p;
			fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;
			ssl_certificate_key $work/good.key; ssl_session_cache shared:s:1m; root $work/root;
			server { listen 443 ssl http2; listen [::]:443 ssl http2; ssl_certificate $work/good.pem; }
			server { listen 444 ssl; ssl_certificate $work/late.pem; ssl_certificate_key $work/late.key; }
		}
	END
	far_serves nginx -c "$work/nginx.conf"
	listens "$far" 443
	listens "$far" 444
}

# fetch PATH CURL-OPTION...: from the server by its name
fetch() {
	near_runs curl -sS --max-time 60 --resolve "www.example.test:443:$far4" --resolve "www.example.test:444:$far4" \
		--resolve "else.example.test:443:$far4" "$@"
}

# refused CURL-OPTION...: by the certificate
refused() {
	local rc=0

	fetch -o "$work/nothing" "$@" 2>/dev/null || rc=$?
	[ $rc = 60 ] || { echo "# curl: $rc"; return 1; }
	[ ! -s "$work/nothing" ]
}

transfers() {
	server_up
	local version
	for version in --http1.1 --http2; do
		fetch --cacert "$work/ca.pem" $version -o "$work/got" -w '%{http_code} %{ssl_verify_result}\n' \
			https://www.example.test/large >"$work/said"
		grep -qx '200 0' "$work/said"
		same "$work/got" "$work/root/large"
	done
	carried 2
}

transfers_over_ipv6() {
	server_up
	near_runs curl -sS --max-time 60 --resolve "www.example.test:443:[$far6]" --cacert "$work/ca.pem" -o "$work/got" \
		https://www.example.test/large
	same "$work/got" "$work/root/large"
	carried 1
}

# many requests on one connection
multiplexed() {
	server_up
	local i
	for i in {1..40}; do
		echo "url=https://www.example.test/small?$i"
		echo "output=$work/got.$i"
	done >"$work/urls"
	fetch --cacert "$work/ca.pem" --http2 -Z --parallel-max 40 -K "$work/urls"
	for i in {1..40}; do
		same "$work/got.$i" "$work/root/small"
	done
	[ "$(counter "$far" PassiveOpens)" -lt 40 ]
	carried 1
}

certificates() {
	server_up
	refused --cacert "$work/other.pem" https://www.example.test/small
	refused --cacert "$work/ca.pem" https://else.example.test/small
	refused --cacert "$work/ca.pem" https://www.example.test:444/small
	fetch --cacert "$work/ca.pem" -o "$work/got" https://www.example.test/small
	same "$work/got" "$work/root/small"
	carried 4
}

run_cases transfers transfers_over_ipv6 multiplexed certificates
