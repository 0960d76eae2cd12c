using KestrelAcme.LocalAuthority;
using Microsoft.EntityFrameworkCore;
using Tenants;

// What the customers' domains lead to: services behind the proxy, in this process so that one command runs everything.
await using var backend = await Backend.StartAsync();

var builder = WebApplication.CreateBuilder(args);

// Customers point their own domains at this app. The domains are rows of a table: nothing of them is in the configuration.
var data = Path.Combine(builder.Environment.ContentRootPath, ".kestrel-acme");
Directory.CreateDirectory(data);
builder.Services.AddDbContext<TenantContext>(options => options.UseSqlite($"Data Source={Path.Combine(data, "tenants.db")}"));

// An ACME authority in this process. It validates at the app's HTTP endpoint instead of port 80.
var authority = builder.Services.AddLocalAcmeAuthority(options =>
{
    options.Folder = Path.Combine(data, "authority");
    options.ValidationHttpPort = Ports.Of(builder.Configuration, Uri.UriSchemeHttp);
});

// The first visitor of a domain waits for its certificate, if the table has the domain. appsettings.json has the limits. In production,
// leave OnDemand:CheckAddress on, so that only domains that lead here are ordered.
builder.Services.AddAcmeHttps(options =>
{
    options.DirectoryUrl = authority.DirectoryUrl.ToString();
    options.TrustedRootsPath = authority.RootPemPath;
}).AddOnDemand<TenantPermission>();

builder.Services.AddReverseProxy().LoadFromMemory([], []);
builder.Services.AddSingleton(backend);
builder.Services.AddSingleton<TenantRoutes>();
builder.Services.AddRazorPages();

var app = builder.Build();
using (var scope = app.Services.CreateScope())
{
    await scope.ServiceProvider.GetRequiredService<TenantContext>().Database.EnsureCreatedAsync();
}

await app.Services.GetRequiredService<TenantRoutes>().UpdateAsync();

// The admin page answers only for its own host. In production, require authorization as well.
app.MapRazorPages().RequireHost("admin.localhost");
app.MapReverseProxy();
app.Lifetime.ApplicationStarted.Register(() => Welcome.Print(app.Configuration));
app.Run();
