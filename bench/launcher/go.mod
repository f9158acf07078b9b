module launcher

go 1.19
