#pragma once
#define MORE 3
