using System.Globalization;
using System.Runtime;

// samples/Native and a page that says what the JIT has done so far. With AcmeHttps:Enabled=false it is the app without automatic HTTPS.
var builder = WebApplication.CreateSlimBuilder(args);
builder.WebHost.UseKestrelHttpsConfiguration();
builder.Services.AddAcmeHttps();

var app = builder.Build();
app.MapGet("/", () => "Hello over HTTPS\n");

// In front of routing, so that asking compiles as little as possible.
app.Use(static (context, next) => context.Request.Path == "/jit"
    ? context.Response.WriteAsync(string.Create(
        CultureInfo.InvariantCulture,
        $"\n{JitInfo.GetCompiledMethodCount(false)} {JitInfo.GetCompilationTime(false).TotalMilliseconds:0}"))
    : next(context));

app.Run();
