var builder = WebApplication.CreateBuilder(args);
builder.Services.AddAcmeHttps();

var app = builder.Build();
app.MapGet("/", () => "Hello from a container over HTTPS\n");

// For probes: ready without a certificate, because a pod that gets no traffic cannot respond to its challenge.
app.MapGet("/healthz", () => "ready\n");
app.Run();
