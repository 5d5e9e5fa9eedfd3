package web

import "net/http"

// Routes adds what the server serves to a mux.
func (s *Server) Routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/{controller}/{action}", s.call)
	mux.HandleFunc("OPTIONS /api/{controller}/{action}", func(w http.ResponseWriter, r *http.Request) { s.Preflight(w, r, "POST") })
	mux.HandleFunc("/api/{controller}/{action}", s.refuse(errVerb))
	mux.HandleFunc("/api/", s.refuse(errURL))
	s.console.routes(mux)
}

func (s *Server) refuse(why error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { s.answer(w, s.router.Refuse("", "", errorOf(why))) }
}
