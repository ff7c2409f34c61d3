"""The routes of sign-in, people, their wishes and devices, under /api/v1/."""

from django.urls import path

from users import views, views_devices, views_sign_in, views_wishes

urlpatterns = [
    path("auth/register/", views_sign_in.RegisterView.as_view(), name="register"),
    path("auth/login/", views_sign_in.LoginView.as_view(), name="login"),
    path("auth/refresh/", views_sign_in.RefreshView.as_view(), name="refresh"),
    path("auth/logout/", views_sign_in.LogoutView.as_view(), name="logout"),
    path("auth/password/", views_sign_in.PasswordView.as_view(), name="password"),
    path("users/", views.PeopleView.as_view(), name="users"),
    path("users/<str:user_id>/", views.PersonObjectView.as_view(), name="user"),
    path("users/<str:user_id>/preferences/", views_wishes.PreferencesView.as_view(), name="preferences"),
    path("users/<str:user_id>/preferences/history/", views_wishes.HistoryView.as_view(), name="preference-history"),
    path("users/<str:user_id>/quiet-hours/", views_wishes.QuietHoursView.as_view(), name="quiet-hours"),
    path("users/<str:user_id>/devices/", views_devices.DevicesView.as_view(), name="devices"),
    path("users/<str:user_id>/devices/<uuid:device_id>/", views_devices.DeviceView.as_view(), name="device"),
    path("users/<str:user_id>/devices/<uuid:device_id>/check/", views_devices.CheckView.as_view(), name="device-check"),
    path("categories/", views.CategoriesView.as_view(), name="categories"),
]
