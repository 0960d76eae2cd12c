using QuickStart;

var builder = WebApplication.CreateBuilder(args);

// On a developer's machine, and unless an authority was configured, one is started in this process.
var authority = LocalAuthority.AddWhenDeveloping(builder);
builder.Services.AddAcmeHttps();
builder.Services.AddHostedService<StepPrinter>();
builder.Services.AddSingleton<RenewalDemo>();

var app = builder.Build();
app.MapGet("/", () => "Hello over HTTPS\n");
app.MapPost("/renew", RenewalEndpoint.RenewAsync);
app.Lifetime.ApplicationStarted.Register(() => Welcome.Print(app, authority));
app.Run();
