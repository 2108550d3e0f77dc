:INPUT,OUTPUT
-m pkttype ! --pkt-type broadcast ; = ; OK
-m pkttype --pkt-type otherhost ; = ; OK
-m pkttype --pkt-type Host ; -m pkttype --pkt-type unicast ; OK
-m pkttype --pkt-type bcast ; -m pkttype --pkt-type broadcast ; OK
-m pkttype --pkt-type MCAST ; -m pkttype --pkt-type multicast ; OK
-m pkttype --pkt-type uni ; ; FAIL
-m pkttype --pkt-type 1 ; ; FAIL
-m pkttype ; ; FAIL
