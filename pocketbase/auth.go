package pocketbase

import (
	"encoding/json"
	"net/http"
)

// users is the collection of those who sign in: PocketBase's usual one. They are no documents.
const users = "users"

// A session is what a client keeps of having signed in.
type session struct {
	Token  string `json:"token"`
	Record object `json:"record"`
}

func sessionOf(user, token string) session {
	return session{token, object{"id": user, "collectionId": users, "collectionName": users, "username": user}}
}

// A tokenAnswer is what the API answers who signs in.
type tokenAnswer struct {
	ID  string `json:"_id"`
	JWT string `json:"jwt"`
}

func ofUsers(q *request) error {
	if q.http.PathValue("collection") != users {
		return notFound("Missing or invalid collection context: users sign in to the collection \"" + users + "\".")
	}
	return nil
}

// signIn answers auth-with-password.
func signIn(q *request) (int, any, error) {
	if err := ofUsers(q); err != nil {
		return 0, nil, err
	}
	var identity, password string
	for name, to := range map[string]*string{"identity": &identity, "password": &password} {
		if json.Unmarshal(q.body[name], to) != nil || *to == "" {
			return 0, nil, invalid(name, "validation_required", "Cannot be blank.")
		}
	}
	var made tokenAnswer
	err := q.call("auth", "login", object{"body": object{"username": identity, "password": password}}, &made)
	if err != nil && errorOf(err).Status == http.StatusUnauthorized {
		return 0, nil, badRequest("Failed to authenticate.")
	}
	return http.StatusOK, sessionOf(made.ID, made.JWT), err
}

// refresh answers auth-refresh.
func refresh(q *request) (int, any, error) {
	if err := ofUsers(q); err != nil {
		return 0, nil, err
	}
	if q.caller.User == "" {
		return 0, nil, &Error{Status: http.StatusUnauthorized, Message: "The request requires valid record authorization token to be set.", Data: object{}}
	}
	var made tokenAnswer
	err := q.call("auth", "refreshToken", object{}, &made)
	return http.StatusOK, sessionOf(made.ID, made.JWT), err
}
