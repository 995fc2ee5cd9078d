-- SPDX-License-Identifier: GPL-2.0
--
-- Wireshark's dissector for Haul (Documentation/protocol.rst): every field, option and kind, analysis of sequence
-- numbers as Wireshark does it for TCP, and the payload in order to the dissector that TCP (for datagrams: UDP)
-- has for the port, so that HTTP over Haul shows as HTTP.
--
--	tshark -X lua_script:tools/wireshark/haul.lua -r FILE
--
-- or copied to the folder of personal Lua plugins (Help, About Wireshark, Folders). For Wireshark 4.0 and later.

local haul = Proto("haul", "Haul")

haul.prefs.protocol = Pref.uint("IP protocol number", 253, "The module's parameter \"protocol\"")
haul.prefs.relative = Pref.bool("Relative sequence numbers", true, "The SYN is 0, the first byte 1")
haul.prefs.checksum = Pref.bool("Check the checksum", true, "Over header and payload")
haul.prefs.reassemble = Pref.bool("Give the payload to the application's dissector", true, "By port, as TCP and UDP do")

-- ------------------------------------------------------------------------------------------------ numbers

local STREAM, MESSAGE, DATAGRAM = 1, 2, 3
local KINDS = { [STREAM] = "stream", [MESSAGE] = "message", [DATAGRAM] = "datagram" }
local FIXED = { [STREAM] = 36, [MESSAGE] = 36, [DATAGRAM] = 16 }
local HEADER_MAX = 320
local FIN, SYN, RST, PSH, ACK, EOM, REFLECTED, STATELESS = 1, 2, 4, 8, 16, 32, 64, 128
local FLAGS = {
	{ FIN, "FIN", "fin" }, { SYN, "SYN", "syn" }, { RST, "RST", "rst" }, { PSH, "PSH", "psh" }, { ACK, "ACK", "ack" },
	{ EOM, "EOM", "eom" }, { REFLECTED, "tag-reflected", "reflected" }, { STATELESS, "stateless", "stateless" },
}
local INIT, SACK, FASTOPEN = 1, 2, 3
local OPTIONS = { [INIT] = "INIT", [SACK] = "SACK", [FASTOPEN] = "FASTOPEN" }
local MOD = 4294967296
local CHECKSUM = { [0] = "Bad", [1] = "Good", [2] = "Unverified" }
-- what pinfo.desegment_len says instead of a number of bytes
local UNTIL_FIN = 0x0ffffffe

local function has(flags, bit) return math.floor(flags / bit) % 2 == 1 end

-- the signed distance from b to a, modulo 2^32
local function diff(a, b)
	local d = (a - b) % MOD
	return d < MOD / 2 and d or d - MOD
end

-- ------------------------------------------------------------------------------------------------ fields

local f, ef = {}, {}

local function field(name, kind, text, ...) f[name] = ProtoField[kind]("haul." .. name, text, ...) end

field("srcport", "uint16", "Source port")
field("dstport", "uint16", "Destination port")
field("port", "uint16", "Source or destination port")
field("stream", "uint32", "Stream index")
field("seq", "uint32", "Sequence number")
field("seq_raw", "uint32", "Sequence number (raw)")
field("nxtseq", "uint32", "Next sequence number")
field("version", "uint8", "Version", base.DEC, nil, 0xf0)
field("kind", "uint8", "Kind", base.DEC, KINDS, 0x0f)
field("hdr_len", "uint16", "Header length", base.UNIT_STRING, { " bytes" })
field("flags", "uint16", "Flags", base.HEX)
for _, flag in ipairs(FLAGS) do
	f["flags." .. flag[3]] = ProtoField.bool("haul.flags." .. flag[3], flag[2], 16, nil, flag[1])
end
f["flags.reserved"] = ProtoField.uint16("haul.flags.reserved", "Reserved", base.HEX, nil, 0xff00)
field("ce", "uint16", "CE-marked packets seen")
field("checksum", "uint16", "Checksum", base.HEX)
field("checksum.status", "uint8", "Checksum status", base.DEC, CHECKSUM)
field("checksum_calculated", "uint16", "Calculated checksum", base.HEX)
field("tag", "uint32", "Connection tag of the receiver", base.HEX)
field("ack", "uint32", "Acknowledgment number")
field("ack_raw", "uint32", "Acknowledgment number (raw)")
field("window", "uint32", "Receive window", base.UNIT_STRING, { " bytes" })
field("tsval", "uint32", "Timestamp", base.UNIT_STRING, { " us" })
field("tsecr", "uint32", "Timestamp echo", base.UNIT_STRING, { " us" })
field("len", "uint32", "Payload length", base.UNIT_STRING, { " bytes" })
field("payload", "bytes", "Payload")
field("option", "none", "Option")
field("option.type", "uint8", "Type", base.DEC, OPTIONS)
field("option.length", "uint8", "Length")
field("option.value", "bytes", "Value")
field("option.padding", "bytes", "Padding")
field("init.mss", "uint16", "MSS", base.UNIT_STRING, { " bytes" })
field("init.tag", "uint32", "Tag of the sender", base.HEX)
field("init.isn", "uint32", "Initial sequence number")
field("init.flags", "uint16", "INIT flags", base.HEX)
f["init.ecn"] = ProtoField.bool("haul.init.ecn", "ECN", 16, nil, 0x0001)
field("fastopen.cookie", "bytes", "Fast open cookie")
field("fastopen.request", "bool", "Asks for a fast open cookie")
field("sack.count", "uint8", "Blocks")
field("sack.le", "uint32", "Left edge")
field("sack.re", "uint32", "Right edge, one past the last byte")
field("sack.dsack", "bool", "D-SACK: arrived twice")
field("malformed", "string", "Malformed")
field("analysis", "none", "Analysis")
field("analysis.acks_frame", "framenum", "Acknowledges the segment in frame", base.NONE, frametype.ACK)
field("analysis.ack_rtt", "relative_time", "Round trip of that segment")
field("analysis.initial_rtt", "relative_time", "Round trip of the handshake")
field("analysis.bytes_in_flight", "uint32", "Bytes in flight")
field("analysis.duplicate_ack_num", "uint32", "Duplicate ACK number")
field("analysis.original_frame", "framenum", "First sent in frame", base.NONE, frametype.RETRANS_PREV)
field("segment", "bool", "Part of application data that goes on in a later frame")
field("reassembled.length", "uint32", "Application data in order", base.UNIT_STRING, { " bytes" })

haul.fields = (function()
	local list = {}
	for _, item in pairs(f) do list[#list + 1] = item end
	return list
end)()

local function mark(name, text, group, severity)
	ef[name] = ProtoExpert.new("haul." .. name, text, expert.group[group], expert.severity[severity])
end

mark("analysis.retransmission", "Retransmission", "SEQUENCE", "NOTE")
mark("analysis.spurious_retransmission", "Retransmission of what was acknowledged already", "SEQUENCE", "NOTE")
mark("analysis.out_of_order", "Out of order", "SEQUENCE", "WARN")
mark("analysis.lost_segment", "An earlier segment was not captured, or comes later", "SEQUENCE", "WARN")
mark("analysis.ack_lost_segment", "Acknowledges what was not captured", "SEQUENCE", "WARN")
mark("analysis.duplicate_ack", "Duplicate ACK", "SEQUENCE", "NOTE")
mark("analysis.zero_window", "Zero window", "SEQUENCE", "WARN")
mark("analysis.window_full", "The peer's window is full", "SEQUENCE", "WARN")
mark("analysis.window_update", "Window update", "SEQUENCE", "CHAT")
mark("analysis.zero_window_probe", "Zero-window probe", "SEQUENCE", "NOTE")
mark("analysis.keep_alive", "Keepalive probe", "SEQUENCE", "NOTE")
mark("analysis.dsack", "D-SACK: the peer got a segment twice", "SEQUENCE", "NOTE")
mark("analysis.ce", "The peer reports congestion marks", "SEQUENCE", "WARN")
mark("analysis.ce_marked", "This packet was congestion-marked by IP", "SEQUENCE", "NOTE")
mark("connection.syn", "Connection asked for", "SEQUENCE", "CHAT")
mark("connection.synack", "Connection accepted", "SEQUENCE", "CHAT")
mark("connection.cookie", "The server keeps no state: its SYN-ACK is a cookie", "SEQUENCE", "CHAT")
mark("connection.simultaneous", "Simultaneous open: SYNs crossed", "SEQUENCE", "NOTE")
mark("connection.fin", "The sender has no more to send", "SEQUENCE", "CHAT")
mark("connection.rst", "Connection refused or ended by a reset", "SEQUENCE", "WARN")
mark("tag.wrong", "Wrong connection tag: the receiver drops it", "SEQUENCE", "WARN")
mark("checksum.bad", "Wrong checksum: the receiver drops it", "CHECKSUM", "ERROR")
mark("checksum.offloaded", "Checksum 0: the device fills it in when the packet leaves this host", "CHECKSUM", "CHAT")
mark("reserved", "Flags that version 1 does not know", "PROTOCOL", "NOTE")
mark("error", "Malformed: the receiver drops it", "MALFORMED", "ERROR")

haul.experts = (function()
	local list = {}
	for _, item in pairs(ef) do list[#list + 1] = item end
	return list
end)()

local quoted4, quoted6 = Field.new("icmp.type"), Field.new("icmpv6.type")
local ip_ce4, ip_ce6 = Field.new("ip.dsfield.ecn"), Field.new("ipv6.tclass.ecn")

-- ------------------------------------------------------------------------------------------------ memory

-- streams by both ends; what the first pass found out about each frame
local streams, frames, count

function haul.init()
	streams, frames, count = {}, {}, 0
end

-- One direction of a connection. seen: ranges of sequence space { start, end, frame }, relative, sorted, disjoint
local function new_side()
	return { seen = {}, sent = {}, dups = 0, early = {}, pending = "" }
end

local function stream_of(pinfo, h)
	local a = tostring(pinfo.src) .. " " .. h.sport
	local b = tostring(pinfo.dst) .. " " .. h.dport
	local key = h.kind .. "|" .. (a < b and a .. "|" .. b or b .. "|" .. a)
	local s = streams[key]
	local opens = has(h.flags, SYN) and not has(h.flags, ACK)

	-- a SYN of another connection that has the same addresses and ports
	if s and opens and s[a].isn and s[a].isn ~= h.seq then s = nil end
	if not s then
		s = { index = count, [a] = new_side(), [b] = new_side() }
		count = count + 1
		streams[key] = s
	end
	return s, s[a], s[b]
end

-- ------------------------------------------------------------------------------------------------ the header

-- The order of protocol.rst 1.6; a word of there, or nil
local function malformed(tvb, h)
	local total = tvb:reported_len()

	if total < 16 then return "short" end
	if h.version ~= 1 then return "version" end
	if not FIXED[h.kind] then return "kind" end
	if h.hdrlen < FIXED[h.kind] or h.hdrlen > HEADER_MAX then return "header" end
	if h.kind == DATAGRAM and h.seq ~= 0 then return "header" end
	if h.hdrlen > total then return "short" end
	if h.sport == 0 or h.dport == 0 then return "port" end
	local fl, len = h.flags, total - h.hdrlen
	if h.kind == DATAGRAM then
		if fl % 256 ~= 0 then return "flags" end
		return nil
	end
	if not (has(fl, SYN) or has(fl, RST) or has(fl, ACK)) then return "flags" end
	if has(fl, SYN) and (has(fl, FIN) or has(fl, RST)) or has(fl, FIN) and has(fl, RST) then return "flags" end
	if has(fl, RST) and len > 0 then return "flags" end
	if has(fl, REFLECTED) and not has(fl, RST) then return "flags" end
	if has(fl, STATELESS) and not (has(fl, SYN) and has(fl, ACK)) then return "flags" end
	if has(fl, EOM) and (h.kind ~= MESSAGE or len == 0) then return "flags" end
	return nil
end

local function read_header(tvb)
	local h = {
		sport = tvb(0, 2):uint(), dport = tvb(2, 2):uint(), seq = tvb(4, 4):uint(),
		version = tvb(8, 1):bitfield(0, 4), kind = tvb(8, 1):bitfield(4, 4), hdrlen = tvb(9, 1):uint() * 4,
		flags = tvb(10, 2):uint(), ce = tvb(12, 2):uint(), sack = {}, len = 0,
	}
	if h.kind ~= DATAGRAM and tvb:len() >= 36 then
		h.tag, h.ack, h.window = tvb(16, 4):uint(), tvb(20, 4):uint(), tvb(24, 4):uint()
		h.tsval, h.tsecr = tvb(28, 4):uint(), tvb(32, 4):uint()
	end
	return h
end

-- RFC 1071 over everything; 0 when the checksum is right
local function sum_of(tvb)
	local data, sum = tvb:raw(), 0

	if #data % 2 == 1 then data = data .. "\0" end
	for at = 1, #data, 2 do
		local high, low = data:byte(at, at + 1)
		sum = sum + high * 256 + low
	end
	while sum > 65535 do sum = math.floor(sum / 65536) + sum % 65536 end
	return 65535 - sum
end

local function show_checksum(tvb, tree, h)
	local range = tvb(14, 2)
	local item, status, wrong = tree:add(f.checksum, range), 2, nil

	if haul.prefs.checksum and tvb:len() == tvb:reported_len() then
		wrong = sum_of(tvb)
		status = wrong == 0 and 1 or 0
	end
	if status == 0 then
		-- what it ought to be: the sum without what is in the field
		local field = range:uint()
		local right = (wrong + field) % 65535
		if field == 0 then
			status = 2
			item:add_proto_expert_info(ef["checksum.offloaded"])
		else
			tree:add(f.checksum_calculated, range, right):set_generated()
			item:add_proto_expert_info(ef["checksum.bad"])
		end
	end
	item:append_text(" [" .. CHECKSUM[status] .. "]")
	tree:add(f["checksum.status"], range, status):set_generated()
	return status ~= 0
end

-- Returns true if it is well-formed. once: option types that may be there only once
local function show_option(tvb, tree, h, at, once)
	local room = h.hdrlen - at
	local kind = tvb(at, 1):uint()
	local length = room >= 2 and tvb(at + 1, 1):uint() or 0
	if length < 2 or length > room then return nil end
	local whole = math.min(math.ceil(length / 4) * 4, room)
	local item = tree:add(f.option, tvb(at, whole))
	item:set_text("Option: " .. (OPTIONS[kind] or "unknown, " .. kind))
	item:add(f["option.type"], tvb(at, 1))
	item:add(f["option.length"], tvb(at + 1, 1))

	if h.kind ~= DATAGRAM and OPTIONS[kind] then
		if once[kind] then return nil end
		once[kind] = true
	end
	if h.kind ~= DATAGRAM and kind == INIT then
		if length < 16 then return nil end
		h.init = { mss = tvb(at + 2, 2):uint(), tag = tvb(at + 4, 4):uint(), isn = tvb(at + 8, 4):uint() }
		item:add(f["init.mss"], tvb(at + 2, 2))
		item:add(f["init.tag"], tvb(at + 4, 4))
		item:add(f["init.isn"], tvb(at + 8, 4))
		item:add(f["init.flags"], tvb(at + 12, 2)):add(f["init.ecn"], tvb(at + 12, 2))
		item:append_text(string.format(", MSS %d, tag 0x%08x", h.init.mss, h.init.tag))
		if h.init.tag == 0 then return nil end
	elseif h.kind ~= DATAGRAM and kind == SACK then
		if length < 12 or length > 252 or length % 8 ~= 4 then return nil end
		item:add(f["sack.count"], tvb(at + 1, 1), math.floor((length - 4) / 8)):set_generated()
		for block = at + 4, at + length - 8, 8 do
			h.sack[#h.sack + 1] = { tvb(block, 4):uint(), tvb(block + 4, 4):uint(), block, item }
		end
	elseif h.kind ~= DATAGRAM and kind == FASTOPEN then
		if length < 4 or length > 20 or length % 4 ~= 0 then return nil end
		h.fastopen = length > 4 and "cookie" or "request"
		if length > 4 then
			item:add(f["fastopen.cookie"], tvb(at + 4, length - 4))
		elseif not has(h.flags, ACK) then
			item:add(f["fastopen.request"], tvb(at, 4), true):set_generated()
		end
		item:append_text(", " .. h.fastopen)
	elseif length > 2 then
		item:add(f["option.value"], tvb(at + 2, length - 2))
	end
	if whole > length then item:add(f["option.padding"], tvb(at + length, whole - length)) end
	return whole
end

local function show_options(tvb, tree, h)
	local at, once = FIXED[h.kind], {}

	while at < h.hdrlen do
		local whole = show_option(tvb, tree, h, at, once)
		if not whole then return "option" end
		at = at + whole
	end
	return nil
end

-- ------------------------------------------------------------------------------------------------ analysis

local ORDINARY_SEGMENT = 1444	-- IPv4 over Ethernet

-- Adds [from, to) to the sorted disjoint ranges; how many bytes of it were there, and since which frame
local function remember(ranges, from, to, frame)
	local known, since, out, placed = 0, nil, {}, false
	local new = { from, to, frame }

	-- the usual case: it joins the end
	local last = ranges[#ranges]
	if not last or from > last[2] then
		ranges[#ranges + 1] = new
		return 0, nil
	end
	if from == last[2] then
		last[2] = to
		return 0, nil
	end
	for _, range in ipairs(ranges) do
		local overlap = math.min(range[2], to) - math.max(range[1], from)
		if overlap > 0 then
			known = known + overlap
			since = since or range[3]
		end
		if overlap >= 0 then
			new[1], new[2] = math.min(new[1], range[1]), math.max(new[2], range[2])
		elseif range[1] > to and not placed then
			out[#out + 1], placed = new, true
			out[#out + 1] = range
		else
			out[#out + 1] = range
		end
	end
	if not placed then out[#out + 1] = new end
	table.sort(out, function(x, y) return x[1] < y[1] end)
	for i = 1, math.max(#out, #ranges) do ranges[i] = out[i] end
	return known, since
end

-- A segment that takes sequence space, against what this side sent before
local function analyse_segment(a, h, me, peer, frame)
	local from, to = h.rel, h.rel + h.space

	if me.nxt and from > me.nxt then a["analysis.lost_segment"] = true end
	if peer.window == 0 and h.len > 0 and h.len <= 1 and me.nxt and from >= me.nxt - 1 then
		a["analysis.zero_window_probe"] = true
	end
	local known = remember(me.seen, from, to, frame)
	local again = me.sent[to] or me.sent[from]
	if me.nxt and from < me.nxt then
		-- the timestamp tells a late original from a copy: a copy was stamped after what follows it. Pieces of one
		-- large segment have the same
		if known == 0 and diff(h.tsval, me.tsval_at_nxt) <= 0 then
			a["analysis.out_of_order"] = true
		elseif peer.acked and to <= peer.acked then
			a["analysis.spurious_retransmission"] = true
			a.retransmission = true
		else
			a["analysis.retransmission"] = true
			a.retransmission = true
		end
		-- a simultaneous open: the SYN-ACK has the SYN's number, and says more
		if has(h.flags, SYN) and has(h.flags, ACK) and not me.answered then
			a["analysis.retransmission"], a["analysis.spurious_retransmission"], a.retransmission = nil, nil, nil
		end
		a.original = known > 0 and a.retransmission and again and again.first or nil
	end
	me.answered = me.answered or has(h.flags, SYN) and has(h.flags, ACK)
	if not me.nxt or to > me.nxt then me.nxt, me.tsval_at_nxt = to, h.tsval end
	if me.sent[to] then
		me.sent[to].again = true
	else
		me.sent[to] = { first = frame.number, at = frame.time, again = a.retransmission }
	end
end

local function analyse_ack(a, h, me, peer, frame)
	local ack = h.relack

	if peer.nxt and ack > peer.nxt then a["analysis.ack_lost_segment"] = true end
	if me.acked and ack > me.acked or not me.acked then
		local sent = peer.sent[ack]
		if sent then
			a.acks = sent.first
			-- Karn's rule: of a segment that was sent twice nobody knows which copy it is
			if not sent.again then a.rtt = frame.time - sent.at end
			peer.sent[ack] = nil
		end
		me.dups = 0
	elseif me.acked == ack and h.space == 0 and not has(h.flags, RST) then
		if h.window == me.window and peer.nxt and peer.nxt > ack then
			me.dups = me.dups + 1
			a["analysis.duplicate_ack"], a.dups = true, me.dups
		elseif h.window > (me.window or 0) then
			a["analysis.window_update"] = true
		end
	end
	if not me.acked or ack > me.acked then me.acked = ack end
end

local function analyse_flags(a, h, me, peer)
	if has(h.flags, SYN) then
		a[has(h.flags, ACK) and "connection.synack" or "connection.syn"] = true
		if has(h.flags, STATELESS) then a["connection.cookie"] = true end
		if not has(h.flags, ACK) and peer.isn and peer.asked then a["connection.simultaneous"] = true end
		me.asked = me.asked or not has(h.flags, ACK)
	end
	if has(h.flags, FIN) then a["connection.fin"] = true end
	if has(h.flags, RST) then a["connection.rst"] = true end
	if h.window == 0 and not has(h.flags, RST) and not has(h.flags, SYN) then a["analysis.zero_window"] = true end
	if me.ce and h.ce ~= me.ce and diff(h.ce * 65536, me.ce * 65536) > 0 then a["analysis.ce"] = true end
	if h.init then me.tag = h.init.tag end
	if peer.tag and h.tag ~= peer.tag and not has(h.flags, REFLECTED) and h.tag ~= 0 then a["tag.wrong"] = true end
end

-- The numbers relative to the ISNs, and what they tell. Once for each frame, in order.
local function analyse(h, stream, me, peer, frame)
	local a = { stream = stream.index }

	if has(h.flags, SYN) then
		me.isn = me.isn or h.seq
		if has(h.flags, ACK) and not peer.isn then peer.isn = (h.ack - 1) % MOD end
		stream.opened = stream.opened or frame.time
	end
	if has(h.flags, RST) and not me.isn then
		h.rel, h.relack = 0, 0
		a.rel, a.relack = 0, 0
		analyse_flags(a, h, me, peer)
		return a
	end
	-- a capture that begins in the middle: the first byte seen is 1
	me.isn = me.isn or (h.seq - 1) % MOD
	if has(h.flags, ACK) then peer.isn = peer.isn or (h.ack - 1) % MOD end
	h.rel = (me.nxt or 0) + diff(h.seq, (me.isn + (me.nxt or 0)) % MOD)
	if has(h.flags, ACK) then
		h.relack = (me.acked or 0) + diff(h.ack, (peer.isn + (me.acked or 0)) % MOD)
	end
	a.rel, a.relack = h.rel, h.relack
	if me.nxt and h.space == 0 and h.rel == me.nxt - 1 and not has(h.flags, RST) then
		-- both look the same (protocol.rst 4.3, 6.3); the window tells which it is
		local shut = peer.window and peer.window < (me.full or 1)
		a[shut and "analysis.zero_window_probe" or "analysis.keep_alive"] = true
	end
	analyse_flags(a, h, me, peer)
	if a["tag.wrong"] then return a end
	if h.space > 0 then analyse_segment(a, h, me, peer, frame) end
	if h.relack then analyse_ack(a, h, me, peer, frame) end
	if has(h.flags, ACK) and not has(h.flags, SYN) and not stream.rtt and stream.opened and h.relack == 1 then
		stream.rtt = frame.time - stream.opened
	end
	if h.space > 0 and me.nxt then
		a.in_flight = me.nxt - (peer.acked or 1)
		-- a sender stops where no full segment fits (RFC 9293 3.8.6.2.1); one that was captured uncut says nothing about that
		me.full = math.max(me.full or 1, math.min(h.len, ORDINARY_SEGMENT))
		if peer.window and peer.acked and h.len > 0 and me.nxt + me.full > peer.acked + peer.window then
			a["analysis.window_full"] = true
		end
	end
	a.initial = stream.rtt
	if not has(h.flags, RST) then
		me.window, me.ce = h.window, h.ce
	end
	return a
end

local function nstime(seconds)
	local whole = math.floor(seconds)
	return NSTime.new(whole, math.floor((seconds - whole) * 1e9 + 0.5))
end

local function show_analysis(tvb, tree, h, a)
	local item = tree:add(f.analysis, tvb(0, 0)):set_generated()
	item:set_text("[Analysis]")

	if a.acks then item:add(f["analysis.acks_frame"], tvb(0, 0), a.acks):set_generated() end
	if a.rtt then item:add(f["analysis.ack_rtt"], tvb(0, 0), nstime(a.rtt)):set_generated() end
	if a.initial then item:add(f["analysis.initial_rtt"], tvb(0, 0), nstime(a.initial)):set_generated() end
	if a.in_flight then item:add(f["analysis.bytes_in_flight"], tvb(0, 0), a.in_flight):set_generated() end
	if a.dups then item:add(f["analysis.duplicate_ack_num"], tvb(0, 0), a.dups):set_generated() end
	if a.original then item:add(f["analysis.original_frame"], tvb(0, 0), a.original):set_generated() end
	local words = {}
	for name, info in pairs(ef) do
		if a[name] == true then
			item:add_proto_expert_info(info)
			local word = name:match("^analysis%.(.*)") or name:match("^(tag%.wrong)") or name == "connection.cookie" and "cookie"
			if word then words[#words + 1] = word:gsub("[_.]", " ") end
		end
	end
	table.sort(words)
	return words
end

-- ------------------------------------------------------------------------------------------------ the application

local function application(h)
	local tables = DissectorTable.get(h.kind == DATAGRAM and "udp.port" or "tcp.port")
	local low, high = math.min(h.sport, h.dport), math.max(h.sport, h.dport)

	return tables:get_dissector(low) or tables:get_dissector(high)
end

-- First pass: the bytes that are in order now, with those that waited for them; nil: none
local function in_order(me, h, payload)
	local from, data = h.rel + (has(h.flags, SYN) and 1 or 0), payload

	me.deliver = me.deliver or from
	if #data > 0 and from + #data > me.deliver then
		me.early[#me.early + 1] = { from, data, has(h.flags, EOM) }
		table.sort(me.early, function(x, y) return x[1] < y[1] end)
	end
	local out, ends = {}, false
	while me.early[1] and me.early[1][1] <= me.deliver do
		local first = table.remove(me.early, 1)
		if first[1] + #first[2] > me.deliver then
			out[#out + 1] = first[2]:sub(me.deliver - first[1] + 1)
			me.deliver = first[1] + #first[2]
			ends = ends or first[3]
		end
	end
	return table.concat(out), ends
end

local function give(dissector, data, pinfo, root)
	local tvb = ByteArray.new(data, true):tvb("Haul application data")

	pinfo.can_desegment = 2
	pinfo.desegment_len, pinfo.desegment_offset = 0, 0
	dissector:call(tvb, pinfo, root)
	local len, offset = pinfo.desegment_len, pinfo.desegment_offset
	pinfo.can_desegment, pinfo.desegment_len, pinfo.desegment_offset = 0, 0, 0
	return len, offset
end

-- What the first pass decides, in app: data for the dissector in this frame, and how much of it is dissected
local function plan(me, h, payload, app, pinfo, root, dissector)
	local data, ends = in_order(me, h, payload)
	local fin = has(h.flags, FIN)

	me.pending = me.pending .. data
	if #me.pending == 0 or (#data == 0 and not fin) then return end
	if h.kind == MESSAGE and not ends then return end
	if me.want and #me.pending < me.want and not fin then return end
	app.data = me.pending
	local len, offset = give(dissector, app.data, pinfo, root)
	if len and len > 0 and not fin and h.kind ~= MESSAGE then
		me.pending = app.data:sub(offset + 1)
		-- a number of bytes, or "one more segment", or "until it ends"
		if len == UNTIL_FIN then
			me.want = math.huge
		else
			me.want = len < UNTIL_FIN and #me.pending + len or nil
		end
		if offset == 0 then app.data = nil else app.data = app.data:sub(1, offset) end
	else
		me.pending, me.want = "", nil
	end
end

local function show_application(tvb, pinfo, tree, root, h, me, app)
	local payload = tvb(h.hdrlen)
	local dissector = haul.prefs.reassemble and application(h)

	tree:add(f.payload, payload)
	if not dissector then
		Dissector.get("data"):call(payload:tvb(), pinfo, root)
		return
	end
	if h.kind == DATAGRAM then
		dissector:call(payload:tvb(), pinfo, root)
		return
	end
	if not app.planned then
		app.planned = true
		plan(me, h, payload:raw(), app, pinfo, root, dissector)
	elseif app.data then
		give(dissector, app.data, pinfo, root)
	end
	if app.data then
		tree:add(f["reassembled.length"], tvb(0, 0), #app.data):set_generated()
	else
		tree:add(f.segment, payload, true):set_generated()
	end
end

-- ------------------------------------------------------------------------------------------------ one packet

local function show_flags(tvb, tree, h)
	local names = {}
	local item = tree:add(f.flags, tvb(10, 2))

	for _, flag in ipairs(FLAGS) do
		item:add(f["flags." .. flag[3]], tvb(10, 2))
		if has(h.flags, flag[1]) then names[#names + 1] = flag[2] end
	end
	item:add(f["flags.reserved"], tvb(10, 2))
	h.names = table.concat(names, ", ")
	item:append_text(" (" .. (h.names == "" and "none" or h.names) .. ")")
	if h.flags > 255 then item:add_proto_expert_info(ef.reserved) end
end

local function show_header(tvb, tree, h, a)
	tree:add(f.srcport, tvb(0, 2))
	tree:add(f.dstport, tvb(2, 2))
	tree:add(f.port, tvb(0, 2)):set_hidden()
	tree:add(f.port, tvb(2, 2)):set_hidden()
	if a then tree:add(f.stream, tvb(0, 0), a.stream):set_generated() end
	if a and haul.prefs.relative and a.rel then
		tree:add(f.seq, tvb(4, 4), a.rel % MOD):append_text(" (relative)")
		tree:add(f.seq_raw, tvb(4, 4))
		tree:add(f.nxtseq, tvb(4, 4), (a.rel + h.space) % MOD):append_text(" (relative)"):set_generated()
	else
		tree:add(f.seq, tvb(4, 4))
	end
	tree:add(f.version, tvb(8, 1))
	tree:add(f.kind, tvb(8, 1))
	tree:add(f.hdr_len, tvb(9, 1), h.hdrlen)
	show_flags(tvb, tree, h)
	tree:add(f.ce, tvb(12, 2))
	h.sum_ok = show_checksum(tvb, tree, h)
	if not h.tag then return end
	tree:add(f.tag, tvb(16, 4))
	if a and haul.prefs.relative and a.relack then
		tree:add(f.ack, tvb(20, 4), a.relack % MOD):append_text(" (relative)")
		tree:add(f.ack_raw, tvb(20, 4))
	else
		tree:add(f.ack, tvb(20, 4))
	end
	tree:add(f.window, tvb(24, 4))
	tree:add(f.tsval, tvb(28, 4))
	tree:add(f.tsecr, tvb(32, 4))
end

-- Blocks are relative to the receiver's ISN, so they are shown after the analysis
local function show_sack(tvb, h, a, peer)
	for i, block in ipairs(h.sack) do
		local from, to, at, item = block[1], block[2], block[3], block[4]
		if a and haul.prefs.relative and peer.isn then
			from, to = (from - peer.isn) % MOD, (to - peer.isn) % MOD
		end
		-- RFC 2883: the first block, below the acknowledgment or within the second
		local twice = i == 1 and (diff(block[2], h.ack) <= 0 or
			h.sack[2] and diff(block[1], h.sack[2][1]) >= 0 and diff(block[2], h.sack[2][2]) <= 0)
		item:add(f["sack.le"], tvb(at, 4), from)
		item:add(f["sack.re"], tvb(at + 4, 4), to)
		if twice then
			item:add(f["sack.dsack"], tvb(at, 8), true):set_generated()
			item:add_proto_expert_info(ef["analysis.dsack"])
		end
		local text = string.format(" %d-%d%s", from, to, twice and " (D-SACK)" or "")
		item:append_text(text)
		-- the list of packets shows the first four
		if i <= 4 then h.sacks = (h.sacks or " SACK") .. text end
	end
end

local function summary(h, a, words)
	local text = string.format("%d → %d", h.sport, h.dport)

	if #words > 0 then text = "[" .. table.concat(words, ", ") .. "] " .. text end
	if h.kind == DATAGRAM then return text .. " datagram Len=" .. h.len end
	text = text .. " [" .. h.names .. "] Seq=" .. (a and a.rel or h.seq)
	if has(h.flags, ACK) then text = text .. " Ack=" .. (a and a.relack or h.ack) end
	text = text .. " Win=" .. h.window .. " Len=" .. h.len
	if h.init then text = text .. " MSS=" .. h.init.mss end
	if h.fastopen then text = text .. " fast open " .. h.fastopen end
	return text .. (h.sacks or "")
end

local function fail(tvb, tree, pinfo, why)
	tree:add(f.malformed, tvb(0, 0), why):set_generated()
	tree:add_proto_expert_info(ef.error, "Malformed (" .. why .. "): the receiver drops it")
	pinfo.cols.info = "[Malformed: " .. why .. "]"
end

function haul.dissector(tvb, pinfo, root)
	local tree = root:add(haul, tvb())
	local quoted = quoted4() ~= nil or quoted6() ~= nil

	if not quoted then
		pinfo.cols.protocol = "Haul"
		pinfo.cols.info = ""
	end
	if tvb:len() < 16 then
		if tvb:len() >= 8 then
			tree:add(f.srcport, tvb(0, 2))
			tree:add(f.dstport, tvb(2, 2))
			tree:add(f.seq, tvb(4, 4))
		end
		if not quoted then fail(tvb, tree, pinfo, "short") end
		return tvb:len()
	end

	local h = read_header(tvb)
	local why = malformed(tvb, h)
	if why then
		show_header(tvb, tree, h, nil)
		if not quoted then fail(tvb, tree, pinfo, why) end
		return tvb:len()
	end
	h.len = tvb:reported_len() - h.hdrlen
	h.space = h.len + (has(h.flags, SYN) and 1 or 0) + (has(h.flags, FIN) and 1 or 0)
	pinfo.src_port, pinfo.dst_port = h.sport, h.dport
	if quoted or tvb:len() < h.hdrlen then
		show_header(tvb, tree, h, nil)
		return tvb:len()
	end

	-- options first: the analysis wants INIT's tag; they are shown after the header all the same
	local options = tree:add(f.option, tvb(FIXED[h.kind], h.hdrlen - FIXED[h.kind]))
	options:set_text("Options (" .. h.hdrlen - FIXED[h.kind] .. " bytes)")
	why = show_options(tvb, options, h)
	local known = frames[pinfo.number]
	if not known then
		known = { app = {} }
		frames[pinfo.number] = known
		-- what the receiver drops at first sight changes nothing
		if not why and sum_of(tvb) == 0 or tvb:len() ~= tvb:reported_len() or tvb(14, 2):uint() == 0 then
			known.stream, known.me, known.peer = stream_of(pinfo, h)
			known.a = h.kind == DATAGRAM and { stream = known.stream.index } or
				not why and analyse(h, known.stream, known.me, known.peer,
					{ number = pinfo.number, time = pinfo.abs_ts }) or nil
		end
	end
	local a = known.a
	show_header(tvb, tree, h, a)
	if why then
		fail(tvb, tree, pinfo, why)
		return tvb:len()
	end
	show_sack(tvb, h, a, known.peer or {})
	tree:add(f.len, tvb(0, 0), h.len):set_generated()
	local ecn = ip_ce4() or ip_ce6()
	local words = a and h.kind ~= DATAGRAM and show_analysis(tvb, tree, h, a) or {}
	if ecn and ecn.value == 3 then
		tree:add_proto_expert_info(ef["analysis.ce_marked"])
		words[#words + 1] = "CE"
	end
	if not h.sum_ok then words[#words + 1] = "bad checksum" end
	local line = summary(h, a, words)
	pinfo.cols.info = line
	tree:append_text(", " .. KINDS[h.kind] .. ", " .. line)
	if h.len > 0 and a and h.sum_ok and not a["tag.wrong"] then
		show_application(tvb, pinfo, tree, root, h, known.me, known.app)
		-- a dissector that is not done yet has nothing to say in the list
		if not known.app.data and h.kind ~= DATAGRAM then
			pinfo.cols.protocol = "Haul"
			pinfo.cols.info = line
		elseif #words > 0 then
			pinfo.cols.info:prepend("[" .. table.concat(words, ", ") .. "] ")
		end
	end
	return tvb:len()
end

local registered

local function register()
	local protocols = DissectorTable.get("ip.proto")

	if registered == haul.prefs.protocol then return end
	if registered then protocols:remove(registered, haul) end
	registered = haul.prefs.protocol
	protocols:add(registered, haul)
end

haul.prefs_changed = register
register()
