using QuickStart;

var builder = WebApplication.CreateBuilder(args);

// In Development, if the configuration names no CA, an ACME authority runs in this process, and AddAcmeHttps is told where it is.
var authority = LocalAuthority.AddWhenDeveloping(builder);
builder.Services.AddAcmeHttps();
builder.Services.AddHostedService<StepPrinter>();
builder.Services.AddSingleton<RenewalDemo>();

var app = builder.Build();
app.MapGet("/", () => "Hello over HTTPS\n");
app.MapPost("/renew", RenewalEndpoint.RenewAsync);
if (!args.Contains("--acme-doctor"))
{
    app.Lifetime.ApplicationStarted.Register(() => Welcome.Print(app, authority));
}

app.Run();
