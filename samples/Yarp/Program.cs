using YarpSample;

// A service behind the proxy, in this process so that one command runs everything.
await using var backend = await Backend.StartAsync();

var builder = WebApplication.CreateBuilder(args);

// YARP takes its routes from the section ReverseProxy of appsettings.json, and follows changes of that file. Try it: add a host there
// while the sample runs. The filter puts the address of the service in: your own configuration names it.
builder.Services.AddReverseProxy()
    .LoadFromConfig(builder.Configuration.GetSection("ReverseProxy"))
    .AddConfigFilter<BackendAddress>();
builder.Services.AddSingleton(backend);

// An ACME authority in this process. It validates at the proxy's HTTP endpoint instead of port 80.
var authority = builder.Services.AddLocalAcmeAuthority(options =>
{
    options.Folder = Path.Combine(builder.Environment.ContentRootPath, ".kestrel-acme", "authority");
    options.ValidationHttpPort = Ports.Http(builder.Configuration);
});
builder.Services.AddAcmeHttps(options =>
{
    options.DirectoryUrl = authority.DirectoryUrl.ToString();
    options.TrustedRootsPath = authority.RootPemPath;
}).AddDomainsFromYarp();

var app = builder.Build();
app.MapReverseProxy();
app.Run();
