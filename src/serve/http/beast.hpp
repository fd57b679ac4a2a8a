// SPDX-License-Identifier: Apache-2.0
// Boost.Asio and Boost.Beast, which do not compile with our warnings. Half a minute to compile: for
// connection.cpp and http_server.cpp only.
#pragma once

#include <utility>  // Boost 1.74's asio needs it before its own headers

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#pragma GCC diagnostic pop
