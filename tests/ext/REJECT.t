:INPUT,FORWARD,OUTPUT
@4
-j REJECT ; -j REJECT --reject-with icmp-port-unreachable ; OK
-j REJECT --reject-with net-unreach ; -j REJECT --reject-with icmp-net-unreachable ; OK
-j REJECT --reject-with HOST-P ; -j REJECT --reject-with icmp-host-prohibited ; OK
# the first type that begins so
-j REJECT --reject-with icmp-host ; -j REJECT --reject-with icmp-host-unreachable ; OK
-j REJECT --reject-with admin ; -j REJECT --reject-with icmp-admin-prohibited ; OK
-j REJECT --reject-with "" ; -j REJECT --reject-with icmp-net-unreachable ; OK
-p tcp -j REJECT --reject-with tcp-rst ; -p tcp -j REJECT --reject-with tcp-reset ; OK
-j REJECT --reject-with tcp-reset ; ; FAIL
-p udp -j REJECT --reject-with tcp-reset ; ; FAIL
! -p tcp -j REJECT --reject-with tcp-reset ; ; FAIL
-j REJECT --reject-with icmp-port-unreachablex ; ; FAIL
-j REJECT --reject-with echo-reply ; ; FAIL
-j REJECT --reject-with icmp6-no-route ; ; FAIL
-j REJECT --reject-with ; ; FAIL
-j REJECT ! --reject-with net-unreach ; ; FAIL
-j REJECT --reject-with net-unreach --reject-with net-unreach ; ; FAIL
@6
-j REJECT ; -j REJECT --reject-with icmp6-port-unreachable ; OK
-j REJECT --reject-with no ; -j REJECT --reject-with icmp6-no-route ; OK
-j REJECT --reject-with policy-fail ; -j REJECT --reject-with icmp6-policy-fail ; OK
-p tcp -j REJECT --reject-with tcp ; -p tcp -j REJECT --reject-with tcp-reset ; OK
-j REJECT --reject-with tcp-rst ; ; FAIL
-j REJECT --reject-with icmp-net-unreachable ; ; FAIL
*mangle
:FORWARD
-j REJECT ; ; FAIL
