var builder = WebApplication.CreateBuilder(args);
builder.Services.AddAcmeHttps();
var app = builder.Build();
app.MapGet("/", () => "Hello over HTTPS");
app.Run();
