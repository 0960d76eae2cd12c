using KestrelAcme.Certificates;

// The slim builder omits HTTPS. UseKestrelHttpsConfiguration adds it.
var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseKestrelHttpsConfiguration();
builder.Services.AddAcmeHttps();

var app = builder.Build();
app.MapGet("/", () => "Hello from a native binary over HTTPS\n");
if (app.Environment.IsDevelopment())
{
    app.MapPost("/renew/{name}", async (string name, ICertificateManager certificates, CancellationToken cancellationToken) =>
        (await certificates.RenewAsync(name, cancellationToken)).SerialNumber);
}

app.Run();
