*mangle
:INPUT,OUTPUT,POSTROUTING
-m cgroup --cgroup 1048577 ; = ; OK
-m cgroup --cgroup 0x100001 ; -m cgroup --cgroup 1048577 ; OK
-m cgroup ! --cgroup 0 ; = ; OK
-m cgroup --path "/" ; = ; OK
-m cgroup ! --path "" ; = ; OK
-m cgroup --path nowhere.slice ; ; FAIL
-m cgroup --path "/" --cgroup 1 ; ; FAIL
-m cgroup --cgroup 4294967296 ; ; FAIL
-m cgroup ; ; FAIL
:PREROUTING,FORWARD
-m cgroup --cgroup 1 ; ; FAIL
