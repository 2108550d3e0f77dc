*mangle
:PREROUTING
@4
-p tcp -j TPROXY --on-port 3128 --on-ip 127.0.0.1 --tproxy-mark 0x1/0x1 ; = ; OK
-p udp -j TPROXY --on-port 0 ; -p udp -j TPROXY --on-port 0 --on-ip 0.0.0.0 --tproxy-mark 0x0/0x0 ; OK
-p tcp -j TPROXY --tproxy-mark 16 --on-ip 10.1 --on-port http ; -p tcp -j TPROXY --on-port 80 --on-ip 10.0.0.1 --tproxy-mark 0x10/0xffffffff ; OK
-p tcp -j TPROXY --on-port 80 --on-ip ::1 ; ; FAIL
@6
-p tcp -j TPROXY --on-port 3128 ; -p tcp -j TPROXY --on-port 3128 --on-ip :: --tproxy-mark 0x0/0x0 ; OK
-p udp -j TPROXY --on-port 53 --on-ip ::1 --tproxy-mark 0x2/0xf ; = ; OK
-p tcp -j TPROXY --on-port 80 --on-ip 127.0.0.1 ; ; FAIL
-j TPROXY --on-port 80 ; ; FAIL
-p sctp -j TPROXY --on-port 80 ; ; FAIL
! -p tcp -j TPROXY --on-port 80 ; ; FAIL
-p tcp -j TPROXY ; ; FAIL
-p tcp -j TPROXY --on-port nosuchservice ; ; FAIL
-p tcp -j TPROXY --on-port 80 --tproxy-mark 1/2/3 ; ; FAIL
:INPUT,OUTPUT
-p tcp -j TPROXY --on-port 80 ; ; FAIL
*nat
:PREROUTING
-p tcp -j TPROXY --on-port 80 ; ; FAIL
